/** Webhook deliveries from GitHub, from receipt to completion. */
import type { GitHubEvent } from "../../domain/job/github-event.ts";

/** A recorded delivery that is not processed yet. */
export interface PendingDelivery {
  readonly id: string;
  readonly event: GitHubEvent;
  readonly at: number;
}

/** Deliveries are stored before they are acknowledged, and marked done after they were processed. */
export interface Inbox {
  /** Resolves when the record is on the disk, and its task is scheduled. `duplicate`: recorded before, in whatever state. */
  record(delivery: PendingDelivery): Promise<"new" | "duplicate">;
  done(id: string): Promise<void>;
  /** Null: it is done, or was never recorded. */
  get(id: string): Promise<PendingDelivery | null>;
  pending(): Promise<readonly PendingDelivery[]>;
  /** Whether the delivery was ever recorded, so that it need not be sent again. */
  knows(id: string): boolean;
  /** Unprocessed deliveries, and the age of the oldest; null when there are none. */
  backlog(): { readonly count: number; readonly oldest_at: number | null };
}
