/** Outgoing webhook messages: what is to be sent, was sent, and with what result. */

import type { JobId } from "../../domain/job/job.ts";
import type { EventName } from "../../domain/job/job-events.ts";

/** Sent when a subscriber asks for it; of no job. */
export const TEST_EVENT = "webhook.test";

export type OutgoingEvent = EventName | typeof TEST_EVENT;

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
