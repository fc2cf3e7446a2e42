/** Job logs as streams of server-sent events. */

import type { Writable } from "node:stream";
import type { Job } from "../../domain/job/job.ts";
import type { StoredJob } from "./jobs.ts";

/** A reader of a job's log. */
export interface LogReader {
  readonly account: string;
  /** The id of the last event that the reader has; null: from the beginning. */
  readonly after: string | null;
  /** Checked at every change of the job; a reader who loses access gets nothing more. */
  may(job: Job): boolean;
  /** Checked regularly; a reader whose key was revoked or expired is disconnected. */
  stands(): boolean;
}

export type FollowedLog =
  /** Writes to the stream until it ends. */
  | { readonly kind: "follow"; begin(stream: Writable): void }
  /** The job is over and the reader has everything. */
  | { readonly kind: "read" }
  | { readonly kind: "too_many" }
  | { readonly kind: "stopping" };

/** Live job logs: history, verification and the agent's lines, as server-sent events. */
export interface LiveLogs {
  open(stored: StoredJob, reader: LogReader): Promise<FollowedLog>;
  /** Ends all streams with a request to reconnect, and accepts no more readers. */
  stop(): void;
}
