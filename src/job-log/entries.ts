/**
 * A stored job as a log: its history and its agent's lines in the order of time, each under an id that says how far in
 * both a reader is. The ids rest on what is stored, so they mean the same after a restart. Pure.
 */

import type { LogLine } from "../contracts/log-line.ts";
import { redact } from "../contracts/redact.ts";
import { isFinal, type Job } from "../domain/job/job.ts";
import type { NumberedRow, StoredJob } from "../engine/ports/jobs.ts";

/** How far a reader is: the last row of the history, and the last line of which of the job's logs. */
export interface Place {
  readonly row: number;
  readonly log: number;
  readonly line: number;
}

const START: Place = { row: 0, log: 0, line: 0 };

const ID = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(\.end)?$/;

/** The place that an id stands for; null: it is none of ours. */
function placeOf(id: string): (Place & { readonly ended: boolean }) | null {
  const [, row, log, line, end] = ID.exec(id) ?? [];
  if (row === undefined) return null;
  return { row: Number(row), log: Number(log), line: Number(line), ended: end !== undefined };
}

/** Where a reader with this id goes on: one that this job has never given out begins anew. */
export function resumeAt(stored: StoredJob, id: string | null): Place & { readonly ended: boolean } {
  const place = id === null ? null : placeOf(id);
  // of a running try they may have lines that we have lost, and that are sent again
  const last_log = stored.log_nth + (stored.job.status === "accepted" ? 1 : 0);
  const beyond = place === null || place.row > (stored.history.at(-1)?.seq ?? 0) || place.log > last_log;
  return beyond ? { ...START, ended: false } : place;
}

export const idOf = ({ row, log, line }: Place): string => `${row}.${log}.${line}`;

export interface Entry {
  readonly event: "history" | "log";
  /** Where a reader is who has this one. */
  readonly place: Place;
  readonly data: object;
}

const iso = (at: number): string => new Date(at).toISOString();

/** Rows of an earlier version do not know what came of the job. */
const rowData = ({ at, event, from, to, by, note, outcome }: NumberedRow): object => ({
  ...{ at: iso(at), event, from, to, by },
  note: note === null ? null : redact(note),
  ...(outcome === undefined && isFinal(to) ? {} : { outcome: outcome ?? null }),
});

const lineData = ({ at, level, text }: LogLine): object => ({ at, level, text: redact(text) });

/** Lines that are new to this reader. The agent numbers them: one that does not count up has no place of its own. */
function newLines({ log, log_nth }: StoredJob, place: Place): LogLine[] {
  if (place.log > log_nth) return [];
  let last = place.log === log_nth ? place.line : 0;
  return log.slice(log.findLastIndex(({ seq }) => seq <= last) + 1).filter(({ seq }) => {
    if (seq <= last) return false;
    last = seq;
    return true;
  });
}

/** Everything that comes after this place, oldest first. */
export function* entriesAfter(stored: StoredJob, from: Place): Generator<Entry> {
  const rows = stored.history.slice(stored.history.findLastIndex(({ seq }) => seq <= from.row) + 1);
  const lines = newLines(stored, from);
  let place = from;
  let [row, line] = [rows.shift(), lines.shift()];
  while (row !== undefined || line !== undefined) {
    // a time that cannot be read comes at once: the order of the lines counts, not their clock
    if (row === undefined || (line !== undefined && !(Date.parse(line.at) > row.at))) {
      if (line === undefined) return;
      place = { ...place, log: stored.log_nth, line: line.seq };
      yield { event: "log", place, data: lineData(line) };
      line = lines.shift();
    } else {
      place = { ...place, row: row.seq };
      yield { event: "history", place, data: rowData(row) };
      row = rows.shift();
    }
  }
}

/** Nothing more is to come, unless somebody asks for a further round: no work, no verdict, no merge of ours. */
export const isOver = (job: Job): boolean =>
  isFinal(job.status) && (job.status !== "verified" || job.merged_at !== null || job.merge.state === "off");
