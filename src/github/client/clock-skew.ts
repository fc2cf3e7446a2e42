/**
 * Measures the difference between GitHub's clock and ours. GitHub rejects App tokens from the future or with a lifetime
 * above ten minutes, so after such a rejection tokens are signed with GitHub's time.
 */
import * as z from "zod";

const refusal = z.object({ response: z.object({ headers: z.object({ date: z.string() }) }) });

/** GitHub's time has whole seconds, and the answer took time to arrive. */
const MEASURED_S = 5;

export class ClockSkew {
  readonly #now: () => number;
  #seconds = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Reads GitHub's time from a 401. Returns whether the correction makes a retry worthwhile. */
  learn(thrown: unknown): boolean {
    const read = refusal.safeParse(thrown);
    const there = Date.parse(read.success ? read.data.response.headers.date : "");
    if (!Number.isFinite(there)) return false;
    const seconds = Math.round((there - this.#now()) / 1_000);
    if (Math.abs(seconds - this.#seconds) <= MEASURED_S) return false;
    this.#seconds = seconds;
    return true;
  }

  /** Milliseconds to add to this machine's clock. */
  get ms(): number {
    return this.#seconds * 1_000;
  }

  /** Octokit stores `timeDifference` once and converts it to a number at each signature, which calls this. */
  valueOf(): number {
    return this.#seconds;
  }
}
