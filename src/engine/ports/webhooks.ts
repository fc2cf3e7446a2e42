/** Outgoing webhooks as the API and the engine use them. */

import type { PublishEvents } from "../../domain/job/effect.ts";
import type { Job } from "../../domain/job/job.ts";
import type { EventName } from "../../domain/job/job-events.ts";
import type { StoredDelivery } from "./outgoing-deliveries.ts";
import type { Attempt } from "./performer.ts";
import type { Issued, StoredSubscription, SubscriptionRequest } from "./subscriptions.ts";

/** Outgoing webhooks, as the API uses them. */
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

/** Whether any subscription matches. Asked at every commit with events, so it must cost next to nothing. */
export interface SubscriptionMatcher {
  listens(job: Job, events: readonly EventName[]): Promise<boolean>;
}

/** Publishes events: done when a message is recorded for every matching subscription. */
export interface EventPublisher {
  perform(effect: PublishEvents, job: Job, again: boolean): Promise<Attempt>;
}

/** No subscription ever matches, so no event is published. */
export const NO_SUBSCRIPTIONS: {
  readonly subscriptionMatcher: SubscriptionMatcher;
  readonly eventPublisher: EventPublisher;
} = {
  subscriptionMatcher: { listens: async () => false },
  eventPublisher: { perform: async () => ({ ended: "done" }) },
};
