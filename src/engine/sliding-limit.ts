/** At most so many within so long, counted over restarts. The one rule for what is limited by the hour and by the day. */
import type { UsageKind, UsageStore } from "./ports/usage.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface SlidingLimit {
  /** In how many milliseconds there is room again; null: there is. */
  full(of: string): number | null;
  add(of: string): void;
}

export const slidingLimit = (
  usage: UsageStore,
  now: () => number,
  { kind, most, ms }: { readonly kind: UsageKind; readonly most: number; readonly ms: number },
): SlidingLimit => ({
  full(of) {
    const oldest = usage.nthNewest(kind, of, most);
    return oldest === null || now() - oldest >= ms ? null : oldest + ms - now();
  },
  add: (of) => usage.add(kind, of, now()),
});
