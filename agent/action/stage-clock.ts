/** Keeps the time of `post`: many short calls may not take longer together than the part of the stage that they belong to. */
import { GitFailure, type Within } from "./git.ts";

export class StageClock {
  readonly #now: () => number;
  readonly #began: number;
  #ends: number;

  constructor(now: () => number, limitMs: number) {
    this.#now = now;
    this.#began = now();
    this.#ends = this.#began + limitMs;
  }

  /** The next part: it ends so long after the stage's beginning. */
  until(limitMs: number): void {
    this.#ends = this.#began + limitMs;
  }

  readonly within: Within = (ms) => {
    const left = this.#ends - this.#now();
    if (left <= 0) throw new GitFailure("the time that there is after a run is over");
    return Math.min(ms, left);
  };
}
