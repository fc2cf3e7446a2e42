/**
 * Decides which lines belong to a job's log, and numbers each attempt's log. Buffered and stored lines follow the same
 * rule, so a reader's position means the same in both. Pure.
 */
import { type LogLine, MAX_LOG_LINES } from "../../contracts/log-line.ts";
import { redact } from "../../contracts/redact.ts";

export interface KeptLog {
  readonly log: readonly LogLine[];
  /** Counts the logs that the job has had, one an attempt; 0: none yet. */
  readonly log_nth: number;
}

/** The same log, further on: it still has the line that the last one ended with. */
const goesOn = (before: readonly LogLine[], next: readonly LogLine[]): boolean => {
  const last = before.at(-1);
  return (
    last !== undefined && next.some(({ seq, at, text }) => seq === last.seq && at === last.at && text === last.text)
  );
};

/** The log after these lines have taken its place. */
export const nextLog = (before: KeptLog, log: readonly LogLine[]): KeptLog => ({
  log,
  log_nth: before.log_nth === 0 || !goesOn(before.log, log) ? before.log_nth + 1 : before.log_nth,
});

/** Characters of a log that are kept; of a longer one the end. */
export const MAX_LOG_CHARACTERS = 512 * 1024;

/** What we keep of a log from outside: redacted, counting up, and its end where it is longer than that. */
export function cleanLog(lines: readonly LogLine[]): LogLine[] {
  let last = 0;
  const counted = lines.filter(({ seq }) => {
    if (seq <= last) return false;
    last = seq;
    return true;
  });
  return bounded(counted.map((line) => ({ ...line, text: redact(line.text) })));
}

/** The end of these lines within the bounds. */
export function bounded(lines: readonly LogLine[]): LogLine[] {
  let from = Math.max(0, lines.length - MAX_LOG_LINES);
  let characters = lines.slice(from).reduce((sum, { text }) => sum + text.length, 0);
  while (characters > MAX_LOG_CHARACTERS) characters -= lines[from++]?.text.length ?? 0;
  return lines.slice(from);
}
