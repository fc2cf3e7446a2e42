/** Divides the time of `post` among its parts: the calls of one part share its limit. */
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

  /** Begins the next part, which ends this long after the stage began. */
  until(limitMs: number): void {
    this.#ends = this.#began + limitMs;
  }

  readonly within: Within = (ms) => {
    const left = this.#ends - this.#now();
    if (left <= 0) throw new GitFailure("the time limit of the post step is reached");
    return Math.min(ms, left);
  };
}
