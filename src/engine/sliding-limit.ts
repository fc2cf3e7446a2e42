/** A sliding-window limit that survives restarts; used for all hourly and daily limits. */
import type { UsageKind, UsageStore } from "./ports/usage.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface SlidingLimit {
  /** Milliseconds until the next use is allowed; null when it is allowed now. */
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
