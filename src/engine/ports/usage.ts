/** Usage over time per kind and account, so that hourly and daily limits survive a restart. */

export const USAGE_KINDS = [
  "round",
  "estimate",
  "reaction-to-person",
  "reaction-in-repository",
  "trigger",
  "trigger-reply",
  "trigger-reply-in-repository",
] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];

export interface UsageStore {
  /** Counts one use. Costs a line and no flush: it survives the process, but a power cut may lose the last seconds. */
  add(kind: UsageKind, of: string, at: number): void;
  /** The time of the n-th newest use; null when there were fewer within a day. */
  nthNewest(kind: UsageKind, of: string, n: number): number | null;
}
