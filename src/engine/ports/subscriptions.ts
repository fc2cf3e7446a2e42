/** Subscriptions to outgoing webhooks. */

import type { Secret } from "../../contracts/secret.ts";
import type { Named } from "../../domain/job/job.ts";
import type { PublishedEventName } from "../../domain/published-events.ts";
import type { WebhookFormat } from "../../domain/webhook-format.ts";

/** A webhook subscription. Its secrets are encrypted. */
export interface StoredSubscription {
  readonly id: string;
  /** Incremented by each change, which must name the previous value. */
  readonly version: number;
  readonly account: string;
  readonly format: WebhookFormat;
  /**
   * As it is shown: of a chat the host alone, since the path holds a token. Null for the record that signs an account's
   * callbacks, which has no address of its own.
   */
  readonly url: string | null;
  /** The whole address of a chat, encrypted; null: `url` is whole. */
  readonly sealed_url: string | null;
  /** Null: those that its format sends by default. */
  readonly events: readonly PublishedEventName[] | null;
  /** `owner/name` at creation; null for any repository. */
  readonly repository: string | null;
  /** The repository's number, which counts; null when unknown or for any repository. */
  readonly repository_id: number | null;
  readonly created_at: number;
  /** Set when the subscription is disabled, with a sentence that says why. */
  readonly disabled: { readonly at: number; readonly reason: string } | null;
  readonly secret: string;
  /** The previous secret, which signs as well for a while. */
  readonly old_secret: { readonly secret: string; readonly until: number } | null;
}

export interface SubscriptionStore {
  /** False when the account has the maximum number. The record for callbacks does not count. */
  add(subscription: StoredSubscription, most: number): Promise<boolean>;
  get(id: string): Promise<StoredSubscription | null>;
  /** Subscriptions with an address, oldest first; of all accounts if none is given. */
  list(account?: string): Promise<readonly StoredSubscription[]>;
  /** Replaces the one of this id and version; null when it has changed meanwhile or is gone. Answers it with its next version. */
  replace(next: StoredSubscription): Promise<StoredSubscription | null>;
  /** True when it existed. */
  remove(id: string): Promise<boolean>;
  /** Subscriptions with an address that want this event for this account and repository. */
  matching(account: string, repository: Named, event: PublishedEventName): Promise<readonly StoredSubscription[]>;
}

/** More conflicts in a row mean that the store is broken rather than busy. */
const MAX_CONFLICTS = 50;

/** Changes a subscription as it is at that moment, whoever else changes it. Null: there is none. */
export async function changeSubscription(
  subscriptions: Pick<SubscriptionStore, "get" | "replace">,
  id: string,
  to: (before: StoredSubscription) => StoredSubscription,
): Promise<StoredSubscription | null> {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    const before = await subscriptions.get(id);
    if (before === null) return null;
    const after = await subscriptions.replace(to(before));
    if (after !== null) return after;
  }
  throw new Error(`Subscription ${id}: ${MAX_CONFLICTS} changes in a row met a conflict`);
}

export interface SubscriptionRequest {
  readonly account: string;
  readonly format: WebhookFormat;
  readonly url: string;
  readonly events: readonly PublishedEventName[] | null;
  readonly repository: string | null;
  readonly repository_id: number | null;
}

/** A subscription with its signing secret, which is shown once. */
export interface Issued {
  readonly subscription: StoredSubscription;
  readonly secret: Secret;
}
