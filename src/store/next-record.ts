/**
 * Computes a job's next stored record after a commit, or after an effect was rescheduled or acknowledged. Pure and
 * shared by all stores, so that they behave alike.
 */

import { effectKey, type PendingEffect } from "../domain/job/effect.ts";
import type { HistoryRow } from "../domain/job/history.ts";
import { type KeptLog, nextLog } from "../domain/job/stored-log.ts";
import type { Commit, NumberedRow, StoredJob } from "../engine/ports/jobs.ts";

/** History rows per job: the first, which names the requester, and the newest. */
export const MAX_HISTORY_ROWS = 500;

export interface EffectRef {
  readonly key: string;
  readonly serial: number;
}

const numbered = (before: readonly NumberedRow[], rows: readonly HistoryRow[]): NumberedRow[] => {
  const last = before.at(-1)?.seq ?? 0;
  return rows.map((row, index) => ({ ...row, seq: last + index + 1 }));
};

const bounded = (rows: readonly NumberedRow[]): readonly NumberedRow[] =>
  rows.length <= MAX_HISTORY_ROWS ? rows : [...rows.slice(0, 1), ...rows.slice(1 - MAX_HISTORY_ROWS)];

const isThis = (pending: PendingEffect, ref: EffectRef): boolean =>
  pending.key === ref.key && pending.serial === ref.serial;

/**
 * The version doubles as the effects' serial number: each key appears once per commit, and versions are never reused.
 */
function nextEffects(before: readonly PendingEffect[], commit: Commit, version: number): PendingEffect[] {
  const next = new Map<string, PendingEffect>();
  for (const pending of before) {
    if (commit.done === null || !isThis(pending, commit.done)) next.set(pending.key, pending);
  }
  for (const { effect, urgency, not_before } of commit.effects) {
    const key = effectKey(effect);
    next.delete(key);
    next.set(key, { effect, urgency, not_before, key, serial: version, attempts: 0 });
  }
  return [...next.values()];
}

function logAfter(before: StoredJob | null, log: Commit["log"]): KeptLog {
  const kept: KeptLog = { log: before?.log ?? [], log_nth: before?.log_nth ?? 0 };
  return log === undefined ? kept : nextLog(kept, log);
}

/** The record after this commit. The caller has checked version and balances. */
export function committed(before: StoredJob | null, commit: Commit): StoredJob {
  const version = (before?.version ?? 0) + 1;
  return {
    job: commit.job,
    version,
    history: bounded([...(before?.history ?? []), ...numbered(before?.history ?? [], commit.history)]),
    postings: [...(before?.postings ?? []), ...commit.postings.map((posting) => ({ ...posting, at: commit.at }))],
    effects: nextEffects(before?.effects ?? [], commit, version),
    ...logAfter(before, commit.log),
  };
}

/**
 * The record after a failed attempt of an effect; null when the effect was replaced or is gone. Keeps the version: a
 * commit only names effects that it adds and removes, so it cannot lose this change, and a concurrent decision stays
 * valid.
 */
export function rescheduled(before: StoredJob, ref: EffectRef, not_before: number): StoredJob | null {
  if (!before.effects.some((pending) => isThis(pending, ref))) return null;
  const effects = before.effects.map((pending) =>
    isThis(pending, ref) ? { ...pending, not_before, attempts: pending.attempts + 1 } : pending,
  );
  return { ...before, effects };
}

/**
 * The record without an effect that has no outcome to report; null when it was replaced or is gone. Keeps the version.
 */
export function acknowledged(before: StoredJob, ref: EffectRef): StoredJob | null {
  const effects = before.effects.filter((pending) => !isThis(pending, ref));
  return effects.length === before.effects.length ? null : { ...before, effects };
}
