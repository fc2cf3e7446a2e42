/**
 * What the verification of work needs of the rooms around it: a judge, and readers who follow what happens. The rest of
 * `ports.ts`, for verification; does nothing itself.
 */
import type { Writable } from "node:stream";
import type { Job } from "../../domain/job/job.ts";
import type { StoredJob } from "./stores.ts";

/** What a judge is shown. The task and the requirements are the sender's words, all else is the worker's. */
export interface Submission {
  readonly title: string;
  readonly task: string;
  readonly requirements: string;
  /** What the worker says of the work. */
  readonly said: string;
  /** The changed files, as a patch each; null: the work is words alone. */
  readonly change: string | null;
  /** False: the change is longer than what is shown of it. */
  readonly whole: boolean;
}

/** A judge's word on a submission. */
export type Opinion =
  | {
      readonly ended: "judged";
      readonly verdict: "pass" | "fail" | "unsure";
      /** Sentences for the sender and the worker. */
      readonly reasons: readonly string[];
    }
  /** Nobody answered, or something that is no opinion: worth another try. */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/** Judges what checks cannot see. A submission may try to give it orders. */
export interface Judge {
  judge(submission: Submission): Promise<Opinion>;
}

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
