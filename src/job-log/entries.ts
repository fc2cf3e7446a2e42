/**
 * Merges a job's history and its agent's log lines by time. Each entry has an id that encodes the position in both; ids
 * derive from stored data, so they survive a restart. Pure.
 */

import type { LogLine } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { isAtRest, isFinal, type Job } from "../domain/job/job.ts";
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
function positionOf(id: string): (Position & { readonly ended: boolean }) | null {
  const [, row, log, line, end] = ID.exec(id) ?? [];
  if (row === undefined) return null;
  return { row: Number(row), log: Number(log), line: Number(line), ended: end !== undefined };
}

/** Where a reader with this id continues; an id that this job never issued starts from the beginning. */
export function resumeAt(stored: StoredJob, id: string | null): Position & { readonly ended: boolean } {
  const position = id === null ? null : positionOf(id);
  // The reader may have lines of a running attempt that we lost in a restart and that the run will resend.
  const last_log = stored.log_nth + (stored.job.status === "accepted" ? 1 : 0);
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
function newLines({ log, log_nth }: StoredJob, position: Position): LogLine[] {
  if (position.log > log_nth) return [];
  let last = position.log === log_nth ? position.line : 0;
  return log.slice(log.findLastIndex(({ seq }) => seq <= last) + 1).filter(({ seq }) => {
    if (seq <= last) return false;
    last = seq;
    return true;
  });
}

/** All entries after this position, oldest first. */
export function* entriesAfter(stored: StoredJob, from: Position): Generator<Entry> {
  const rows = stored.history.slice(stored.history.findLastIndex(({ seq }) => seq <= from.row) + 1);
  const lines = newLines(stored, from);
  let position = from;
  let [row, line] = [rows.shift(), lines.shift()];
  while (row !== undefined || line !== undefined) {
    // A line with an unreadable time comes at once: its number decides the order.
    if (row === undefined || (line !== undefined && !(Date.parse(line.at) > row.at))) {
      if (line === undefined) return;
      position = { ...position, log: stored.log_nth, line: line.seq };
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
