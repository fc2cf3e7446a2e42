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

/** Something that was done once. */
export interface Use {
  readonly kind: UsageKind;
  readonly of: string;
}

/** Costs a line and no flush: what is counted survives the process, but a power cut may lose the last seconds. */
export interface UsageStore {
  /**
   * Counts as many uses (missing: one) unless they would be more than `most` within `ms`: then it counts none and answers
   * the milliseconds until they fit. Nobody else counts in between.
   */
  take(
    use: Use,
    limit: { readonly most: number; readonly ms: number; readonly at: number; readonly count?: number },
  ): Promise<number | null>;
  /** The time of the n-th newest use; null when there were fewer within a day. */
  nthNewest(kind: UsageKind, of: string, n: number): Promise<number | null>;
}
