/**
 * What telling the outside needs of the rooms around it: who subscribes, what is to be sent, and who is told. The rest of
 * `ports.ts`, for outgoing webhooks; does nothing itself.
 */

import type { Secret } from "../../contracts/secret.ts";
import type { PublishEvents } from "../../domain/job/effect.ts";
import type { Job, JobId, Named } from "../../domain/job/job.ts";
import type { EventName } from "../../domain/job/job-events.ts";
import type { Attempt } from "./stores.ts";

/** Sent when a subscriber asks for it; of no job. */
export const TEST_EVENT = "webhook.test";
export type OutgoingEvent = EventName | typeof TEST_EVENT;

/** Somebody who is told. Its secrets are sealed: what is stored does not sign. */
export interface StoredSubscription {
  readonly id: string;
  readonly account: string;
  /** Null: the account's own, for the callback addresses of its jobs; it is told through those alone. */
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
  /** Those with an address that want to hear this of a job of this account in this repository. */
  hearing(account: string, repository: Named, event: EventName): Promise<readonly StoredSubscription[]>;
}

/** One try of a delivery. */
export interface DeliveryAttempt {
  readonly at: number;
  readonly took_ms: number;
  /** As it was answered; null: there was no answer. */
  readonly status: number | null;
  /** What went wrong, in a few words; null: nothing. */
  readonly error: string | null;
}

export type DeliveryState = "pending" | "delivered" | "dead";

/** One event for one address. */
export interface NewDelivery {
  /** The `webhook-id`. The same event for the same subscriber has the same one, however often it is recorded. */
  readonly id: string;
  readonly subscription: string;
  /** Of a callback; null: the subscription's, as it is when it is sent. */
  readonly url: string | null;
  readonly event: OutgoingEvent;
  readonly job: JobId | null;
  readonly at: number;
  /** As it is sent and signed, byte by byte. */
  readonly body: string;
}

export interface StoredDelivery extends Omit<NewDelivery, "body"> {
  readonly state: DeliveryState;
  /** Newest last; the oldest are forgotten where there are very many. */
  readonly attempts: readonly DeliveryAttempt[];
  /** When this round of tries began: at its recording, or at a replay. */
  readonly since: number;
  /** Tries of this round. */
  readonly tries: number;
  /** Null: it is not pending. */
  readonly next_at: number | null;
}

export interface DeliveryFilter {
  readonly subscription: string;
  readonly limit: number;
  /** As answered before; opaque. Newest first. */
  readonly cursor?: string;
}

/** What is sent, is to be sent and was sent, for some days and up to a number. */
export interface OutgoingStore {
  /** Durable when it resolves. Answers those that were not known before, in their order; the others are left as they are. */
  record(deliveries: readonly NewDelivery[]): Promise<readonly StoredDelivery[]>;
  /**
   * A try has ended, and this is what becomes of it; false when it is not known any more. Not awaited by the disk: what a
   * crash forgets is sent once more, under the same id.
   */
  attempted(
    id: string,
    attempt: DeliveryAttempt,
    next: { readonly state: DeliveryState; readonly at: number | null },
  ): Promise<boolean>;
  /** Another round of tries, from now on. Null when it is not known any more. */
  replay(id: string, at: number): Promise<StoredDelivery | null>;
  get(id: string): Promise<StoredDelivery | null>;
  body(id: string): Promise<string | null>;
  list(
    filter: DeliveryFilter,
  ): Promise<{ readonly deliveries: readonly StoredDelivery[]; readonly cursor: string | null }>;
  /** For the start. */
  pending(): Promise<readonly StoredDelivery[]>;
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

/** What the edges may ask of the room that tells the outside. */
export interface Webhooks {
  /** Why nothing can be sent to this address, in words that go on after the field's name; null: something can. */
  mistakeIn(url: string): string | null;
  /** Null: the account has as many as it may. */
  subscribe(asked: SubscriptionRequest): Promise<Issued | null>;
  /** A new secret; the old one signs beside it for a day. Null: there is no such subscription. */
  rotate(id: string): Promise<Issued | null>;
  /** The account's own, which signs what goes to the callback addresses of its jobs; made when it is first asked for. */
  ownOf(account: string): Promise<Issued>;
  /** Sends a test event at once. */
  test(subscription: StoredSubscription): Promise<StoredDelivery>;
  /** Sends it again at once, with another round of tries. Null when it is not known any more. */
  replay(id: string): Promise<StoredDelivery | null>;
}

/** Who listens. Asked at every commit that tells something, so it must cost nothing. */
export interface SubscriptionMatcher {
  listens(job: Job, events: readonly EventName[]): Promise<boolean>;
}

/** Performs an announcement: done when it is recorded for everybody who hears it. */
export interface EventPublisher {
  perform(effect: PublishEvents, job: Job, again: boolean): Promise<Attempt>;
}

/** Nobody listens, so nothing is ever announced. */
export const NO_SUBSCRIPTIONS: {
  readonly subscriptionMatcher: SubscriptionMatcher;
  readonly eventPublisher: EventPublisher;
} = {
  subscriptionMatcher: { listens: async () => false },
  eventPublisher: { perform: async () => ({ ended: "done" }) },
};

/** Closes what must not lie open on a disk. `purpose`: what it is for; sealed for one, it opens for no other. */
export interface SealedBox {
  seal(secret: Secret, purpose: string): string;
  /** Throws when it was sealed with another key or for another purpose, or is damaged. */
  open(sealed: string, purpose: string): Secret;
}
