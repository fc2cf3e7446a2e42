/** The agent's lines of jobs. They are no part of a job's record. */
import type { LogLine } from "../../contracts/log-line.ts";
import type { JobId } from "../../domain/job/job.ts";

/** The log of the newest attempt that has told anything. */
export interface NewestLog {
  /** The attempt's number in the record (`log_nth`). */
  readonly nth: number;
  /** Oldest first. */
  readonly lines: readonly LogLine[];
}

/**
 * One log for each job: lines of a later attempt take the place of those of earlier ones. Stores keep the end of a log
 * within twice the bounds of `stored-log.ts`; callers redact. Who follows the job is told of new lines by its signals.
 */
export interface JobLog {
  /**
   * Adds lines that are newer than the last one. They survive this process, and are not flushed. A log must begin with
   * line 1: a sender that does not know what was lost begins again.
   */
  append(id: JobId, nth: number, lines: readonly LogLine[]): Promise<Appended>;
  /** Replaces the log by all that a run has handed in; resolves when it is on the disk. */
  keep(id: JobId, nth: number, lines: readonly LogLine[]): Promise<void>;
  /** Null: there is none. `after`: of the same log, only the lines after this one. */
  read(id: JobId, after?: { readonly nth: number; readonly line: number }): Promise<NewestLog | null>;
}

export interface Appended {
  /** The number of the log's last line; 0: it has none, or is of an earlier attempt. */
  readonly last: number;
  /** Whether any of the lines were new. */
  readonly added: boolean;
}
