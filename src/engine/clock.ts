/**
 * The real clock. It never goes back while the process runs: where this machine's clock is set back, what was to happen
 * "in a second" would else be put off for as long. Timers do not keep the process alive, and long waits are taken in steps
 * that `setTimeout` can hold.
 */
import type { Clock } from "./ports/clock.ts";

/** `setTimeout` takes 31 bits of milliseconds. */
const LONGEST_STEP_MS = 2 ** 31 - 1;
/** A clock is brought closer to the true time by less than this at once; by more it was set. */
const SET_MS = 1_000;

/** The time by `wall`, which is followed forward; set back, it goes on from where it was, as `elapsed` says. */
export function steadyTime(wall: () => number, elapsed: () => number): () => number {
  let at = wall();
  let since = elapsed();
  return () => {
    const passed = elapsed();
    const going_on = at + passed - since;
    const said = wall();
    at = said < going_on - SET_MS ? going_on : Math.max(at, said);
    since = passed;
    return Math.floor(at);
  };
}

const now = steadyTime(Date.now, () => performance.now());

export const systemClock: Clock = {
  now,
  wall: Date.now,
  at(at, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - now();
      timer = left > LONGEST_STEP_MS ? setTimeout(arm, LONGEST_STEP_MS) : setTimeout(callback, Math.max(0, left));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
