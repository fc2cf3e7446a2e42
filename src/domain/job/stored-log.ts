/** Decides which lines belong to a job's log, and numbers each attempt's log. Pure. */
import { type LogLine, MAX_LOG_LINES } from "../../contracts/log-line.ts";
import { redact } from "../../contracts/redact.ts";
import { actionsWork, type Job, runOf } from "./job.ts";

/** What a record says of its job's logs. */
export interface NumberedLogs {
  readonly job: Job;
  /** Counts the runs that the job has had, and so names the log of the last one; 0: none yet. */
  readonly log_nth: number;
}

/** The number of the log of the run that this job has now. */
export function logNumberAfter(before: NumberedLogs | null, next: Job): number {
  const [earlier, run] = [before === null ? null : runOf(before.job), runOf(next)];
  const isNew = run !== null && (run.id !== earlier?.id || run.attempt !== earlier.attempt);
  return (before?.log_nth ?? 0) + (isNew ? 1 : 0);
}

/**
 * The same, of a record of before: there, logs were counted when they were stored, and that of a run under way was not
 * until its end. `has_log`: one was stored.
 */
export function logNumberOfBefore(job: Job, log_nth: number, has_log: boolean): number {
  const isUnderWay = job.status === "accepted" && runOf(job) !== null && actionsWork(job)?.handed_in === null;
  return log_nth + (isUnderWay && (has_log || log_nth === 0) ? 1 : 0);
}

/** Characters of a log that are kept; of a longer one the end. */
export const MAX_LOG_CHARACTERS = 512 * 1024;

/** Lines from outside as they may be shown: redacted, and counting up from this number. */
export function cleanLines(lines: readonly LogLine[], last = 0): LogLine[] {
  return newerThan(lines, last).map((line) => ({ ...line, text: redact(line.text) }));
}

/** The lines that count up from this number. */
export function newerThan(lines: readonly LogLine[], last: number): LogLine[] {
  let before = last;
  return lines.filter(({ seq }) => {
    if (seq <= before) return false;
    before = seq;
    return true;
  });
}

/** What we keep of a log from outside: clean, and its end where it is longer than that. */
export const cleanLog = (lines: readonly LogLine[]): LogLine[] => bounded(cleanLines(lines));

/** The end of these lines within the bounds. */
export function bounded(lines: readonly LogLine[]): LogLine[] {
  let from = Math.max(0, lines.length - MAX_LOG_LINES);
  let characters = charactersOf(lines.slice(from));
  while (characters > MAX_LOG_CHARACTERS) characters -= lines[from++]?.text.length ?? 0;
  return lines.slice(from);
}

/** A log that grows is cut to the bounds once it is twice as long, so that its cost for each line does not grow. */
export const isOverlong = (lines: number, characters: number): boolean =>
  lines > 2 * MAX_LOG_LINES || characters > 2 * MAX_LOG_CHARACTERS;

export const charactersOf = (lines: readonly LogLine[]): number =>
  lines.reduce((sum, { text }) => sum + text.length, 0);
