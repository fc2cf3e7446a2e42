/** What the jobs of repositories and accounts have cost and came to, by day. Written with the commits of jobs. */
import type { Counted } from "../../domain/usage/figures.ts";

export interface Spent {
  readonly day_cents: number;
  readonly month_cents: number;
  /** Jobs that were created on that day. */
  readonly jobs_of_day: number;
}

export interface UsageFilter {
  /** By GitHub's number; `name` (`owner/name` in any case) finds what was stored without one. Missing: all. */
  readonly repository?: { readonly id: number | null; readonly name: string };
  /** Of any of these; missing: of all. */
  readonly accounts?: readonly string[];
  /** Days since the epoch in UTC, the last one included. */
  readonly from: number;
  readonly to: number;
}

/** What jobs have cost outlives their records: for {@link USAGE_KEPT_DAYS}. */
export interface SpendingStore {
  /** What was spent on the UTC day, and in the UTC month, of `now`. */
  spentIn(of: { readonly repository_id: number } | { readonly account: string }, now: number): Promise<Spent>;
  /** In order of the days; figures of one day that are of the same come together. */
  usage(filter: UsageFilter): AsyncIterable<Counted>;
}

/** Reports reach a year back, and compare it with the year before. */
export const USAGE_KEPT_DAYS = 800;
