/** Outgoing webhooks, as the API and the engine use them. */

import type { PublishEvents } from "../../domain/job/effect.ts";
import type { Job, Repository } from "../../domain/job/job.ts";
import type { EventName } from "../../domain/job/job-events.ts";
import type { RepositoryEvent } from "../../domain/repository/events.ts";
import type { IdentifiedRepository } from "../../domain/repository/repository.ts";
import type { WebhookFormat } from "../../domain/webhook-format.ts";
import type { StoredDelivery } from "./outgoing-deliveries.ts";
import type { Attempt, Later } from "./performer.ts";
import type { Issued, StoredSubscription, SubscriptionRequest } from "./subscriptions.ts";

/** Operations on webhooks for the API. */
export interface Webhooks {
  /** What is wrong with an address, as the end of a sentence about the field; null when it is valid. */
  validateTarget(url: string): string | null;
  /** An address that some other format fits, as a whole sentence about the field; null: this one may fit. */
  validateFormat(url: string, format: WebhookFormat): string | null;
  /** An address as a subscription of this id and format keeps it: that of a chat is encrypted, since it holds a token. */
  sealed(id: string, format: WebhookFormat, url: string): Pick<StoredSubscription, "format" | "url" | "sealed_url">;
  /** Null when the account has the maximum number. */
  subscribe(asked: SubscriptionRequest): Promise<Issued | null>;
  /** Creates a new secret; the old one signs as well for a day. Null when the subscription does not exist. */
  rotate(id: string): Promise<Issued | null>;
  /** The account's record for signing callbacks; created on first use. */
  ownOf(account: string): Promise<Issued>;
  /** Sends a test event at once. */
  test(subscription: StoredSubscription): Promise<StoredDelivery>;
  /** Starts a new series of attempts at once. Null when the message is no longer known. */
  replay(id: string): Promise<StoredDelivery | null>;
}

/** Finds subscribers. Called at every commit with an event, so it must be cheap. */
export interface SubscriptionMatcher {
  listens(job: Job, events: readonly EventName[]): Promise<boolean>;
}

/** Whether an account may hear of what a repository does by itself; null: GitHub did not say. */
export type MayHear = (account: string, repository: Repository) => Promise<boolean | null>;

/** Publishes events; done when a message is recorded for every subscriber. Without `mayHear` only one's own are told. */
export interface EventPublisher {
  perform(effect: PublishEvents, job: Job, again: boolean, mayHear?: MayHear): Promise<Attempt>;
  publish(
    event: RepositoryEvent,
    repository: IdentifiedRepository,
    mayHear: MayHear,
  ): Promise<{ readonly ended: "done" } | Later>;
  /** To the account's own subscriptions, those to another repository left out. The same `once` of an event is told once. */
  publishToAccount(
    event: RepositoryEvent,
    of: { readonly account: string; readonly repository: Repository; readonly once: string },
    mayHear: MayHear,
  ): Promise<{ readonly ended: "done" } | Later>;
}

/** No subscribers, so no event is published. */
export const NO_SUBSCRIPTIONS: {
  readonly subscriptionMatcher: SubscriptionMatcher;
  readonly eventPublisher: EventPublisher;
} = {
  subscriptionMatcher: { listens: async () => false },
  eventPublisher: {
    perform: async () => ({ ended: "done" }),
    publish: async () => ({ ended: "done" }),
    publishToAccount: async () => ({ ended: "done" }),
  },
};
