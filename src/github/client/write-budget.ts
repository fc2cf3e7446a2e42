/**
 * The write budget of one installation. A request that does not fit now gets a reservation in the future, first come
 * first served, which is kept until the caller comes back for it.
 */
import { SlidingWindow } from "./sliding-window.ts";

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
/** Pending reservations, and how long each outlives its time. */
const MAX_PROMISES = 10_000;
const PROMISE_KEPT_MS = 60_000;

export class WriteBudget {
  readonly #minute = new SlidingWindow(LIMITS.writes_per_minute, MINUTE_MS);
  readonly #hour = new SlidingWindow(LIMITS.writes_per_hour, HOUR_MS);
  readonly #promises = new Map<string, { readonly at: number; readonly count: number }>();

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

  /** Milliseconds until work with this many writes would get its turn. Reserves nothing. */
  wait(count: number, now: number): number {
    return Math.max(0, this.#turn(count, now) - now);
  }

  take(at: number, count: number, now: number): void {
    this.#minute.take(at, count, now);
    this.#hour.take(at, count, now);
  }

  /** Returns unused writes that were reserved for this time. */
  give(at: number, count: number): void {
    this.#minute.give(at, count);
    this.#hour.give(at, count);
  }

  /** Takes this many writes now and returns 0, or reserves them and returns the wait in milliseconds. */
  reserve(key: string, count: number, now: number): number {
    this.#forget(now);
    const promise = this.#promises.get(key);
    const at = promise?.at ?? this.#turn(count, now);
    if (at > now) {
      if (!promise && this.#promises.size < MAX_PROMISES) {
        this.#promises.set(key, { at, count });
        this.take(at, count, now);
      }
      return at - now;
    }
    if (promise) {
      this.#promises.delete(key);
      this.give(promise.at, promise.count);
    }
    this.take(now, count, now);
    return 0;
  }

  #turn(count: number, now: number): number {
    return Math.max(this.#minute.next(now, count + KEPT_FREE), this.#hour.next(now, count + KEPT_FREE));
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#promises) if (at + PROMISE_KEPT_MS < now) this.#promises.delete(key);
  }
}
