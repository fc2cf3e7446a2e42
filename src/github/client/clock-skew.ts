/**
 * How far GitHub's clock is from this machine's. The App signs with the time of its own clock, and GitHub refuses what it
 * takes for made in the future or for living longer than ten minutes: so it is told by when, as soon as it has refused once.
 */
import { z } from "zod";

const refusal = z.object({ response: z.object({ headers: z.object({ date: z.string() }) }) });

/** GitHub tells its time in whole seconds, and an answer has been on its way. */
const MEASURED_S = 5;

export class ClockSkew {
  readonly #now: () => number;
  #seconds = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Learns from GitHub's 401 what time it is there. Answers whether that makes a difference, so that another try may do. */
  learn(thrown: unknown): boolean {
    const read = refusal.safeParse(thrown);
    const there = Date.parse(read.success ? read.data.response.headers.date : "");
    if (!Number.isFinite(there)) return false;
    const seconds = Math.round((there - this.#now()) / 1_000);
    if (Math.abs(seconds - this.#seconds) <= MEASURED_S) return false;
    this.#seconds = seconds;
    return true;
  }

  /** What is added to this machine's clock, in milliseconds. */
  get ms(): number {
    return this.#seconds * 1_000;
  }

  /** Octokit takes its `timeDifference` once, as a number, and reads it at each signature: this is what it reads then. */
  valueOf(): number {
    return this.#seconds;
  }
}
