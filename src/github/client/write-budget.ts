/** The write budget of one installation. */
import { SlidingWindow } from "./sliding-window.ts";
import { Turns } from "./turns.ts";

/** GitHub counts a call on arrival, we count it on departure; the windows are longer by this difference. */
const SLACK_MS = 2_000;
export const MINUTE_MS = 60_000 + SLACK_MS;
const HOUR_MS = 3_600_000 + SLACK_MS;

/** The limits of one installation. */
export const LIMITS = {
  writes_per_minute: 80,
  writes_per_hour: 500,
  rest_points_per_minute: 900,
  graphql_points_per_minute: 2_000,
  /** GitHub allows 100 concurrent calls per App and address. */
  at_once: 50,
} as const;

/** Writes per window that effects leave free for direct answers. */
export const KEPT_FREE = 2;

export class WriteBudget {
  readonly #minute = new SlidingWindow(LIMITS.writes_per_minute, MINUTE_MS);
  readonly #hour = new SlidingWindow(LIMITS.writes_per_hour, HOUR_MS);
  readonly turns = new Turns([this.#minute, this.#hour], KEPT_FREE);

  /** The earliest time for one more write, ignoring later reservations. */
  free(now: number): number {
    return Math.max(this.#minute.free(now, 1), this.#hour.free(now, 1));
  }

  left(now: number): { readonly minute: number; readonly hour: number } {
    return { minute: this.#minute.left(now), hour: this.#hour.left(now) };
  }

  /** Whether half of each window stays free after this many more writes. */
  hasToSpare(count: number, now: number): boolean {
    const { minute, hour } = this.left(now);
    return minute - count >= LIMITS.writes_per_minute / 2 && hour - count >= LIMITS.writes_per_hour / 2;
  }
}
