/** Which webhooks a key reaches: those of its account, with `admin` all; within its repository where it is bound to one. */
import type { Request } from "express";
import { z } from "zod";
import type { OutgoingStore, StoredSubscription, SubscriptionStore, Webhooks } from "../engine/outgoing.ts";
import type { Recorder } from "../engine/ports.ts";
import { failure } from "./answer.ts";
import { type Principal, principalOf } from "./auth.ts";

export interface WebhookParts {
  readonly webhooks: Webhooks;
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly record: Recorder;
  /** Where this server is reached from outside; null: not known, so that addresses begin with their path. */
  readonly public_url: string | null;
  readonly now: () => number;
}

/** Stands for the account's own webhooks in a path: what goes to the callback addresses of its jobs. */
export const DEFAULT = "default";

export const idParams = z.object({ id: z.string().meta({ description: "As the list of webhooks has it." }) });

export const NO_WEBHOOK = failure(404, "not_found", "There is no webhook of this id; GET /api/webhooks lists them.");
export const DISABLED = failure(
  409,
  "webhook_disabled",
  'This webhook is disabled; enable it with PATCH {"enabled": true} and try again.',
);
/** An answer that holds a secret is kept by nobody on the way. */
export const NO_STORE = { "Cache-Control": "no-store" };

const isWithin = ({ repository }: Principal, of: string | null): boolean =>
  repository === null || (of !== null && repository.toLowerCase() === of.toLowerCase());

export const reaches = (principal: Principal, { account, repository }: StoredSubscription): boolean =>
  isWithin(principal, repository) && (principal.account === account || principal.scopes.includes("admin"));

/** The webhook with an address of this id, if the caller reaches it. */
export async function webhookOf(parts: WebhookParts, request: Request, id: string): Promise<StoredSubscription | null> {
  const found = await parts.subscriptions.get(id);
  return found !== null && found.url !== null && reaches(principalOf(request), found) ? found : null;
}

/** The same for whatever has deliveries, the account's own among them: `default`. */
export async function senderOf(parts: WebhookParts, request: Request, id: string): Promise<StoredSubscription | null> {
  const principal = principalOf(request);
  if (id !== DEFAULT) return webhookOf(parts, request, id);
  // callbacks of all repositories stand in one log
  return principal.repository === null ? (await parts.webhooks.ownOf(principal.account)).subscription : null;
}
