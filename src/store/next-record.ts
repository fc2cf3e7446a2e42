/** Computes a job's next stored record after a commit. Pure and shared by all stores, so that they behave alike. */

import { effectKey } from "../domain/job/effect.ts";
import type { HistoryRow } from "../domain/job/history.ts";
import { logNumberAfter } from "../domain/job/stored-log.ts";
import { withSpending } from "../domain/usage/booked.ts";
import type { Commit, NumberedRow, StoredJob } from "../engine/ports/jobs.ts";
import { nextEffects } from "./next-effects.ts";

/** History rows per job: the first, which names the requester, and the newest. */
export const MAX_HISTORY_ROWS = 500;

const numbered = (before: readonly NumberedRow[], rows: readonly HistoryRow[]): NumberedRow[] => {
  const last = before.at(-1)?.seq ?? 0;
  return rows.map((row, index) => ({ ...row, seq: last + index + 1 }));
};

const bounded = (rows: readonly NumberedRow[]): readonly NumberedRow[] =>
  rows.length <= MAX_HISTORY_ROWS ? rows : [...rows.slice(0, 1), ...rows.slice(1 - MAX_HISTORY_ROWS)];

/** The record after this commit. The caller has checked version and balances. */
export function committed(before: StoredJob | null, commit: Commit): StoredJob {
  const version = (before?.version ?? 0) + 1;
  return {
    job: commit.job,
    version,
    history: bounded([...(before?.history ?? []), ...numbered(before?.history ?? [], commit.history)]),
    postings: [...(before?.postings ?? []), ...commit.postings.map((posting) => ({ ...posting, at: commit.at }))],
    spending: withSpending(before?.spending ?? [], commit.spending),
    effects: nextEffects(before?.effects ?? [], {
      effects: commit.effects,
      done: commit.done,
      keyOf: effectKey,
      version,
    }),
    log_nth: logNumberAfter(before, commit.job),
  };
}
