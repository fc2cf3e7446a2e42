/** Job logs as streams of server-sent events. */

import type { Writable } from "node:stream";
import type { Job } from "../../domain/job/job.ts";
import type { StoredJob } from "./jobs.ts";

/** Who follows a job's log. */
export interface LogReader {
  readonly account: string;
  /** The id of the last event that they have; null: from the beginning. */
  readonly after: string | null;
  /** Asked again at every change of the job: who may no longer see it hears no more. */
  may(job: Job): boolean;
  /** Asked again and again: whoever came with a key that is revoked or over meanwhile is let go. */
  stands(): boolean;
}

export type FollowedLog =
  /** Writes to the stream from now on, and ends it. */
  | { readonly kind: "follow"; begin(stream: Writable): void }
  /** The job is over, and they have read all of it. */
  | { readonly kind: "read" }
  | { readonly kind: "too_many" }
  | { readonly kind: "stopping" };

/** The logs of jobs as they grow: history, verification and the agent's lines, as a stream of server-sent events. */
export interface LiveLogs {
  open(stored: StoredJob, reader: LogReader): FollowedLog;
  /** Ends every stream with the request to come again, and takes no more readers. */
  stop(): void;
}
