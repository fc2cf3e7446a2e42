/** Finds the webhook that a path names, for keys that can reach it. */
import type { Request } from "express";
import * as z from "zod";
import { canReachServer, canReachSubscription } from "../../domain/access.ts";
import { namedRepository } from "../../domain/job/job.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { OutgoingStore } from "../../engine/ports/outgoing-deliveries.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { StoredSubscription, SubscriptionStore } from "../../engine/ports/subscriptions.ts";
import type { Webhooks } from "../../engine/ports/webhooks.ts";
import { principalOf } from "../middleware/auth.ts";
import { failure } from "../routing/answer.ts";

export interface WebhookParts {
  readonly webhooks: Webhooks;
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly repositories: Pick<RepositoryStore, "get">;
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

/** GitHub's number of a repository that a subscription names, as far as it is known. */
export async function repositoryIdOf({ repositories }: WebhookParts, full_name: string | null): Promise<number | null> {
  if (full_name === null) return null;
  const { owner, name } = namedRepository(full_name, null);
  return (await repositories.get(owner, name))?.id ?? null;
}

/** The webhook with an address of this id, if the caller reaches it. */
export async function webhookOf(parts: WebhookParts, request: Request, id: string): Promise<StoredSubscription | null> {
  const found = await parts.subscriptions.get(id);
  return found !== null && found.url !== null && canReachSubscription(principalOf(request), found) ? found : null;
}

/** The same for whatever has deliveries, the account's own among them: `default`. */
export async function senderOf(parts: WebhookParts, request: Request, id: string): Promise<StoredSubscription | null> {
  const principal = principalOf(request);
  if (id !== DEFAULT) return webhookOf(parts, request, id);
  // callbacks of all repositories stand in one log
  return canReachServer(principal) ? (await parts.webhooks.ownOf(principal.account)).subscription : null;
}
