/**
 * Merges a job's history and its agent's log lines by time. Each entry has an id that encodes the position in both; ids
 * derive from stored data, so they survive a restart. Pure.
 */

import type { LogLine } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { isAtRest, isFinal, type Job } from "../domain/job/job.ts";
import { newerThan } from "../domain/job/stored-log.ts";
import type { NewestLog } from "../engine/ports/job-log.ts";
import type { NumberedRow, StoredJob } from "../engine/ports/jobs.ts";

/** A reader's position: the last history row, and the last line of which of the job's logs. */
export interface Position {
  readonly row: number;
  readonly log: number;
  readonly line: number;
}

const START: Position = { row: 0, log: 0, line: 0 };

const ID = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(\.end)?$/;

/** Parses an id; null when it is invalid. */
export function positionOf(id: string): (Position & { readonly ended: boolean }) | null {
  const [, row, log, line, end] = ID.exec(id) ?? [];
  if (row === undefined) return null;
  return { row: Number(row), log: Number(log), line: Number(line), ended: end !== undefined };
}

/** What a reader sees of a job: its record, and its log. */
export interface View {
  readonly stored: Pick<StoredJob, "history" | "log_nth">;
  readonly log: NewestLog | null;
}

/** Where a reader with this id continues; an id that this job never issued starts from the beginning. */
export function resumeAt({ stored, log }: View, id: string | null): Position & { readonly ended: boolean } {
  const position = id === null ? null : positionOf(id);
  // the run that works now has a number, though it may have told nothing yet
  const last_log = Math.max(stored.log_nth, log?.nth ?? 0);
  const beyond = position === null || position.row > (stored.history.at(-1)?.seq ?? 0) || position.log > last_log;
  return beyond ? { ...START, ended: false } : position;
}

export const idOf = ({ row, log, line }: Position): string => `${row}.${log}.${line}`;

export interface Entry {
  readonly event: "history" | "log";
  /** The position after this entry. */
  readonly position: Position;
  readonly data: object;
}

const iso = (at: number): string => new Date(at).toISOString();

/** Rows of older versions lack the outcome. */
const rowData = ({ at, event, from, to, by, note, outcome }: NumberedRow): object => ({
  ...{ at: iso(at), event, from, to, by },
  note: note === null ? null : redact(note),
  ...(outcome === undefined && isFinal(to) ? {} : { outcome: outcome ?? null }),
});

const lineData = ({ at, level, text }: LogLine): object => ({ at, level, text: redact(text) });

/** Lines that this reader has not seen. A line that does not count up has no position of its own and is skipped. */
function newLines(log: NewestLog | null, position: Position): LogLine[] {
  if (log === null || position.log > log.nth) return [];
  const last = position.log === log.nth ? position.line : 0;
  return newerThan(log.lines.slice(log.lines.findLastIndex(({ seq }) => seq <= last) + 1), last);
}

/** All entries after this position, oldest first. */
export function* entriesAfter({ stored, log }: View, from: Position): Generator<Entry> {
  const rows = stored.history.slice(stored.history.findLastIndex(({ seq }) => seq <= from.row) + 1);
  const lines = newLines(log, from);
  let position = from;
  let [row, line] = [rows.shift(), lines.shift()];
  while (row !== undefined || line !== undefined) {
    // A line with an unreadable time comes at once: its number decides the order.
    if (row === undefined || (line !== undefined && !(Date.parse(line.at) > row.at))) {
      if (line === undefined || log === null) return;
      position = { ...position, log: log.nth, line: line.seq };
      yield { event: "log", position, data: lineData(line) };
      line = lines.shift();
    } else {
      position = { ...position, row: row.seq };
      yield { event: "history", position, data: rowData(row) };
      row = rows.shift();
    }
  }
}

/** Nothing more will come unless somebody starts another round: no work, verdict or merge is pending. */
export const isOver = (job: Job): boolean =>
  isAtRest(job.status) && (job.status !== "verified" || job.merged_at !== null || job.merge.state === "off");
