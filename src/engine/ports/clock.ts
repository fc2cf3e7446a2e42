/** Time, injected. */

/** Time, injected, in milliseconds since the epoch. */
export interface Clock {
  /** Never goes back, so that what it says may be subtracted and waited for. */
  now(): number;
  /** What this machine's clock says, for what others hold against theirs; unless given, the same. */
  readonly wall?: () => number;
  /** Calls back once, at or soon after `at`; the answer cancels it. Does not keep the process alive. */
  at(at: number, callback: () => void): () => void;
}
