/**
 * Turns in sliding windows. What does not fit now gets a reservation in the future, first come first served, which is
 * kept until the caller comes back for it.
 */
import type { SlidingWindow } from "./sliding-window.ts";

/** Pending reservations, and how long each outlives its time. */
const MAX_PROMISES = 10_000;
const PROMISE_KEPT_MS = 60_000;

export class Turns {
  readonly #windows: readonly SlidingWindow[];
  readonly #kept_free: number;
  readonly #promises = new Map<string, { readonly at: number; readonly count: number }>();

  /** `kept_free`: what is left of each window when a turn begins. */
  constructor(windows: readonly SlidingWindow[], kept_free: number) {
    this.#windows = windows;
    this.#kept_free = kept_free;
  }

  /** Milliseconds until this many would get their turn. Reserves nothing. */
  wait(count: number, now: number): number {
    return Math.max(0, this.#turn(count, now) - now);
  }

  take(at: number, count: number, now: number): void {
    for (const window of this.#windows) window.take(at, count, now);
  }

  /** Returns what was taken for this time and is not used. */
  give(at: number, count: number): void {
    for (const window of this.#windows) window.give(at, count);
  }

  /**
   * Takes this many now and returns 0, or reserves them and returns the wait in milliseconds. Who would wait longer than
   * `most_ms` will not come back, so nothing is reserved.
   */
  reserve(key: string, count: number, now: number, most_ms = Number.POSITIVE_INFINITY): number {
    this.#forget(now);
    const promise = this.#promises.get(key);
    const at = promise?.at ?? this.#turn(count, now);
    if (at > now) {
      if (!promise && at - now <= most_ms && this.#promises.size < MAX_PROMISES) {
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
    return Math.max(...this.#windows.map((window) => window.next(now, count + this.#kept_free)));
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#promises) if (at + PROMISE_KEPT_MS < now) this.#promises.delete(key);
  }
}
