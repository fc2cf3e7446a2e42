/** Webhook deliveries from GitHub, from their arrival until they have been processed. */
import type { GitHubEvent } from "../../domain/job/github-event.ts";

/** A delivery that is recorded and not done yet. */
export interface PendingDelivery {
  readonly id: string;
  readonly signal: GitHubEvent;
  readonly at: number;
}

/** Webhook deliveries: durable before they are answered, done only after they have been acted on. */
export interface Inbox {
  /** Resolves when the record is on disk. `duplicate`: recorded before, whatever became of it. */
  record(delivery: PendingDelivery): Promise<"new" | "duplicate">;
  done(id: string): Promise<void>;
  pending(): Promise<readonly PendingDelivery[]>;
  /** Recorded or done before? Those deliveries need not be sent again. */
  knows(id: string): boolean;
  /** What is recorded and not done, and since when the oldest of it waits; null: nothing does. */
  backlog(): { readonly count: number; readonly oldest_at: number | null };
}
