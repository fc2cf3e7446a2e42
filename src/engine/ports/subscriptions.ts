/** Subscriptions to outgoing webhooks. */

import type { Secret } from "../../contracts/secret.ts";
import type { Named } from "../../domain/job/job.ts";
import type { EventName } from "../../domain/job/job-events.ts";

/** A webhook subscription. Its secrets are encrypted: nobody can sign with what is stored. */
export interface StoredSubscription {
  readonly id: string;
  readonly account: string;
  /** Null: the account's own subscription, which sends to the callback addresses of its jobs and nowhere else. */
  readonly url: string | null;
  /** Null: all of them. */
  readonly events: readonly EventName[] | null;
  /** `owner/name` as it was; null: any. */
  readonly repository: string | null;
  /** GitHub's number of it, by which it counts; null: not known yet, or any. */
  readonly repository_id: number | null;
  readonly created_at: number;
  /** Nothing is sent while it is; why, in a sentence. */
  readonly disabled: { readonly at: number; readonly reason: string } | null;
  readonly secret: string;
  /** The one before, which signs beside it for a while. */
  readonly old_secret: { readonly secret: string; readonly until: number } | null;
}

export interface SubscriptionStore {
  /** False, and nothing is kept, when the account has that many already. Its own for callbacks does not count. */
  add(subscription: StoredSubscription, most: number): Promise<boolean>;
  get(id: string): Promise<StoredSubscription | null>;
  /** Those with an address, oldest first; of all accounts unless one is named. */
  list(account?: string): Promise<readonly StoredSubscription[]>;
  /** What the function makes of it, in one step; null when there is none, or the function says so. */
  change(id: string, to: (before: StoredSubscription) => StoredSubscription | null): Promise<StoredSubscription | null>;
  /** True when there was one. */
  remove(id: string): Promise<boolean>;
  /** Subscriptions with an address that match this event of a job of this account in this repository. */
  hearing(account: string, repository: Named, event: EventName): Promise<readonly StoredSubscription[]>;
}

export interface SubscriptionRequest {
  readonly account: string;
  readonly url: string;
  readonly events: readonly EventName[] | null;
  readonly repository: string | null;
  readonly repository_id: number | null;
}

/** A subscription with the secret that signs what it is sent, which is shown once. */
export interface Issued {
  readonly subscription: StoredSubscription;
  readonly secret: Secret;
}
