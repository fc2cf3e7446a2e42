/** One result of the bench: a ratio to a baseline of the same run, or a count. */
export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  /** The limit is a lower one. */
  readonly at_least?: boolean;
  /** What the ratio is made of, a line each. */
  readonly detail: readonly string[];
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
