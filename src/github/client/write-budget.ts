/**
 * The writes of one installation: who may make how many, and when. What cannot have its writes now is promised a turn,
 * first come first served, and the promise is kept until it comes back for it.
 */
import { SlidingWindow } from "./sliding-window.ts";

/** GitHub counts when a call arrives, we when it leaves: the windows are longer than GitHub's by what lies between. */
const SLACK_MS = 2_000;
export const MINUTE_MS = 60_000 + SLACK_MS;
const HOUR_MS = 3_600_000 + SLACK_MS;

/** What one installation may spend. */
export const LIMITS = {
  writes_per_minute: 80,
  writes_per_hour: 500,
  rest_points_per_minute: 900,
  graphql_points_per_minute: 2_000,
  /** GitHub allows 100 for everything under one App and address. */
  at_once: 50,
} as const;

/** Writes of each window that effects leave to direct answers, which belong to no effect. */
export const KEPT_FREE = 2;
/** Promises that are kept at once, and for how long after their turn. */
const MAX_PROMISES = 10_000;
const PROMISE_KEPT_MS = 60_000;

export class WriteBudget {
  readonly #minute = new SlidingWindow(LIMITS.writes_per_minute, MINUTE_MS);
  readonly #hour = new SlidingWindow(LIMITS.writes_per_hour, HOUR_MS);
  readonly #promises = new Map<string, { readonly at: number; readonly count: number }>();

  /** When one more write is free, whatever was promised for later. */
  free(now: number): number {
    return Math.max(this.#minute.free(now, 1), this.#hour.free(now, 1));
  }

  left(now: number): { readonly minute: number; readonly hour: number } {
    return { minute: this.#minute.left(now), hour: this.#hour.left(now) };
  }

  /** Half of each window is left for others after this many more. */
  hasToSpare(count: number, now: number): boolean {
    const { minute, hour } = this.left(now);
    return minute - count >= LIMITS.writes_per_minute / 2 && hour - count >= LIMITS.writes_per_hour / 2;
  }

  /** In how many milliseconds work of this many writes would have its turn. Takes and promises nothing. */
  wait(count: number, now: number): number {
    return Math.max(0, this.#turn(count, now) - now);
  }

  take(at: number, count: number, now: number): void {
    this.#minute.take(at, count, now);
    this.#hour.take(at, count, now);
  }

  /** Takes back what was taken for this time and not used. */
  give(at: number, count: number): void {
    this.#minute.give(at, count);
    this.#hour.give(at, count);
  }

  /** Takes this many writes now and answers 0, or promises them and answers how many milliseconds that is away. */
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
