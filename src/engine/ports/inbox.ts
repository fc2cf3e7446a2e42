/** Webhook deliveries from GitHub, from receipt to completion. */
import type { GitHubEvent } from "../../domain/job/github-event.ts";

/** A recorded delivery that is not processed yet. */
export interface PendingDelivery {
  readonly id: string;
  readonly event: GitHubEvent;
  readonly at: number;
}

/** Unprocessed deliveries, and the time of the oldest; null when there are none. */
export interface Backlog {
  readonly count: number;
  readonly oldest_at: number | null;
}

/** Deliveries are stored before they are acknowledged, and marked done after they were processed. */
export interface Inbox {
  /** Resolves when the record is on the disk, and its task is scheduled. `duplicate`: recorded before, in whatever state. */
  record(delivery: PendingDelivery): Promise<"new" | "duplicate">;
  done(id: string): Promise<void>;
  /** Null: it is done, or was never recorded. */
  get(id: string): Promise<PendingDelivery | null>;
  pending(): Promise<readonly PendingDelivery[]>;
  /** Those of these deliveries that were never recorded, in their order. */
  unknown(ids: readonly string[]): Promise<readonly string[]>;
  backlog(): Promise<Backlog>;
}
