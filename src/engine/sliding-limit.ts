/** A sliding-window limit that survives restarts; used for all hourly and daily limits. */
import type { UsageKind, UsageStore } from "./ports/usage.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Both answer the milliseconds until the next use is allowed; null when it is allowed now. */
export interface SlidingLimit {
  full(of: string): Promise<number | null>;
  /** Counts it, too, where it is allowed. */
  take(of: string): Promise<number | null>;
}

export function slidingLimit(
  usage: UsageStore,
  now: () => number,
  { kind, most, ms }: { readonly kind: UsageKind; readonly most: number; readonly ms: number },
): SlidingLimit {
  return {
    async full(of) {
      const oldest = await usage.nthNewest(kind, of, most);
      return oldest === null || now() - oldest >= ms ? null : oldest + ms - now();
    },
    take: (of) => usage.take({ kind, of }, { most, ms, at: now() }),
  };
}
