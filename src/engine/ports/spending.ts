/** What the jobs of repositories and accounts have cost, by day. Written with the commits of jobs, read by budgets and reports. */
import type { SpendingRow } from "../../domain/job/spending.ts";

export interface Spent {
  readonly day_cents: number;
  readonly month_cents: number;
  /** Jobs that were created on that day. */
  readonly jobs_of_day: number;
}

export interface SpendingFilter {
  /** GitHub's numbers of repositories; missing: all. */
  readonly repository_ids?: readonly number[];
  readonly account?: string;
  /** Milliseconds since the epoch, from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface SpendingStore {
  /** What was spent on the UTC day, and in the UTC month, of `now`. */
  spentIn(of: { readonly repository_id: number } | { readonly account: string }, now: number): Promise<Spent>;
  /** Rows in order of their time. */
  rows(filter: SpendingFilter): AsyncIterable<SpendingRow>;
}
