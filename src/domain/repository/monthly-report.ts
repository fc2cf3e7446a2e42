/** The issue that says at the end of a month what jobs have cost and came to, where the settings want it. */
import type { Wanted } from "../pending-effect.ts";
import { monthOf } from "../usage/words.ts";
import type { RepositoryEffect } from "./effect.ts";
import type { RepositoryState } from "./repository.ts";

interface Reports {
  readonly state: RepositoryState;
  readonly effects: readonly Wanted<RepositoryEffect>[];
}

const MINUTE_MS = 60_000;
/** Repositories are not all told in the same minute. */
const SPREAD_MINUTES = 120;

const firstOfMonth = (at: number): number => {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
};

const nextMonth = (first: number): number => {
  const date = new Date(first);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
};

/** Null: no report is wanted. */
export const nextReportAt = ({ id, reports_since }: Pick<RepositoryState, "id" | "reports_since">): number | null =>
  reports_since === null ? null : nextMonth(reports_since) + (id % SPREAD_MINUTES) * MINUTE_MS;

/** From which month on one is still to be made. A clock that was ahead leaves none out. */
function sinceOf({ settings, reports_since }: RepositoryState, now: number): number | null {
  const here = firstOfMonth(now);
  // what is wanted is not known until they are read again
  if (settings === null) return reports_since;
  return settings.reports.monthly ? Math.min(reports_since ?? here, here) : null;
}

/** `2026-11`: the month before this one. After a longer absence there is one report, of the last month. */
const lastMonth = (now: number): string => new Date(firstOfMonth(now) - 1).toISOString().slice(0, 7);

/** What time or new settings change of it; null: nothing. */
export function reportsChanged(state: RepositoryState, isTick: boolean, now: number): Reports | null {
  const due_at = nextReportAt(state);
  const isDue = isTick && due_at !== null && due_at <= now;
  const reports_since = isDue ? firstOfMonth(now) : sinceOf(state, now);
  if (reports_since === state.reports_since) return null;
  const effect = { type: "report-month", month: lastMonth(now), body: null } as const;
  return { state: { ...state, reports_since }, effects: isDue ? [{ effect, urgency: "now", not_before: now }] : [] };
}

/** `November 2026`, of `2026-11`. */
export const monthName = (month: string): string => monthOf(Date.parse(`${month}-15`)).name;
