/** A real clock that a test can advance by any time. */
import type { Clock } from "../../src/engine/ports/clock.ts";

export interface HandClock extends Clock {
  /** Lets this much time pass; what is due by then happens. */
  pass(ms: number): void;
  /** Lets time pass to what is due next, if that is within this much. */
  skip(ms: number): void;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
  handle: NodeJS.Timeout | null;
}

export function handClock(): HandClock {
  let ahead = 0;
  const timers = new Set<Timer>();
  const now = () => Date.now() + ahead;
  const arm = (timer: Timer): void => {
    if (timer.handle !== null) clearTimeout(timer.handle);
    timer.handle = setTimeout(
      () => {
        timers.delete(timer);
        timer.callback();
      },
      Math.max(0, timer.at - now()),
    );
    timer.handle.unref();
  };
  const pass = (ms: number): void => {
    ahead += ms;
    for (const timer of [...timers]) arm(timer);
  };
  return {
    now,
    at(at, callback) {
      const timer: Timer = { at, callback, handle: null };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        if (timer.handle !== null) clearTimeout(timer.handle);
      };
    },
    pass,
    skip(ms) {
      const next = Math.min(...[...timers].map(({ at }) => at)) - now();
      if (next > 0 && next <= ms) pass(next);
    },
  };
}

/** A clock that stands still unless it is told to go on. */
export function stillClock(start = 1_900_000_000_000): HandClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const ring = (): void => {
    for (const timer of [...timers].filter(({ at }) => at <= now)) {
      timers.delete(timer);
      setImmediate(timer.callback);
    }
  };
  const pass = (ms: number): void => {
    now += ms;
    ring();
  };
  return {
    now: () => now,
    at(at, callback) {
      const timer = { at, callback };
      timers.add(timer);
      ring();
      return () => void timers.delete(timer);
    },
    pass,
    skip(ms) {
      const next = Math.min(...[...timers].map(({ at }) => at)) - now;
      if (next > 0 && next <= ms) pass(next);
    },
  };
}
