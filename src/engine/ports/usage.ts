/** What was done lately, by whom, so that limits by the hour and by the day hold over a restart. */

export const USAGE_KINDS = ["turn", "estimate", "reaction-to-person", "reaction-in-repository"] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];

export interface UsageStore {
  /** Counts one more. Costs a line and no flush: it outlives the process, but not a power cut within the next seconds. */
  add(kind: UsageKind, of: string, at: number): void;
  /** When the newest but `n - 1` was; null: there are not that many within a day. */
  nthNewest(kind: UsageKind, of: string, n: number): number | null;
}
