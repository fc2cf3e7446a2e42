/**
 * The real clock, which never goes back while the process runs: if the machine's clock is set back, short waits do not
 * become long ones. Timers do not keep the process alive, and long waits are split into steps that `setTimeout`
 * supports.
 */
import type { Clock } from "./ports/clock.ts";

/** `setTimeout` takes 31 bits of milliseconds. */
const MAX_STEP_MS = 2 ** 31 - 1;
/** Clock synchronisation corrects by less than this at once; a larger step means that the clock was set. */
const SET_MS = 1_000;

/** Follows `wall` forwards; when that is set back, continues by `elapsed`. */
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
      timer = left > MAX_STEP_MS ? setTimeout(arm, MAX_STEP_MS) : setTimeout(callback, Math.max(0, left));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
