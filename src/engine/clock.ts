/** The real clock. Timers do not keep the process alive, and long waits are taken in steps that `setTimeout` can hold. */
import type { Clock } from "./ports.ts";

/** `setTimeout` takes 31 bits of milliseconds. */
const LONGEST_STEP_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(at, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - Date.now();
      timer = left > LONGEST_STEP_MS ? setTimeout(arm, LONGEST_STEP_MS) : setTimeout(callback, Math.max(0, left));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
