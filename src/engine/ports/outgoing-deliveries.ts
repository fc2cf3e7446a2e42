/** Outgoing webhook messages: pending and sent ones with their results. */

import type { JobId } from "../../domain/job/job.ts";
import type { PublishedEventName } from "../../domain/published-events.ts";

/** Sent on a subscriber's request; belongs to no job. */
export const TEST_EVENT = "webhook.test";

export type OutgoingEvent = PublishedEventName | typeof TEST_EVENT;

/** One attempt to send a message. */
export interface DeliveryAttempt {
  readonly at: number;
  readonly took_ms: number;
  /** The response's status; null when there was none. */
  readonly status: number | null;
  /** A short error description; null when there was none. */
  readonly error: string | null;
}

export type DeliveryState = "pending" | "delivered" | "dead";

/** One event for one address. */
export interface NewDelivery {
  /** The `webhook-id`: the same for the same event and subscriber, however often it is recorded. */
  readonly id: string;
  readonly subscription: string;
  /** A callback's address; null: the subscription's current address. */
  readonly url: string | null;
  readonly event: OutgoingEvent;
  readonly job: JobId | null;
  readonly at: number;
  /** Sent and signed byte for byte. */
  readonly body: string;
}

export interface StoredDelivery extends Omit<NewDelivery, "body"> {
  readonly state: DeliveryState;
  /** Newest last; the oldest are dropped when there are very many. */
  readonly attempts: readonly DeliveryAttempt[];
  /** When this series of attempts began: on recording or replay. */
  readonly since: number;
  /** Attempts in this series. */
  readonly tries: number;
  /** Null when it is not pending. */
  readonly next_at: number | null;
}

export interface DeliveryFilter {
  readonly subscription: string;
  readonly limit: number;
  /** From the previous page; opaque. Newest first. */
  readonly cursor?: string;
}

/** Messages, kept for some days and up to a number. */
export interface OutgoingStore {
  /** Resolves when stored on the disk. Returns the new ones in order and leaves known ones unchanged. */
  record(deliveries: readonly NewDelivery[]): Promise<readonly StoredDelivery[]>;
  /**
   * Records an attempt and the next state; false when the message is no longer known. Not flushed: a message whose
   * result a crash loses is sent once more with the same id.
   */
  attempted(
    id: string,
    attempt: DeliveryAttempt,
    next: { readonly state: DeliveryState; readonly at: number | null },
  ): Promise<boolean>;
  /** Starts a new series of attempts now. Null when the message is no longer known. */
  replay(id: string, at: number): Promise<StoredDelivery | null>;
  get(id: string): Promise<StoredDelivery | null>;
  body(id: string): Promise<string | null>;
  list(
    filter: DeliveryFilter,
  ): Promise<{ readonly deliveries: readonly StoredDelivery[]; readonly cursor: string | null }>;
  /** For the start. */
  pending(): Promise<readonly StoredDelivery[]>;
}
