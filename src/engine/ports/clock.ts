/** Time, injected. */

/** Injected time, in milliseconds since the epoch. */
export interface Clock {
  /** Monotonic, so that differences are valid. */
  now(): number;
  /** The machine's wall clock, for times that others compare; defaults to `now`. */
  readonly wall?: () => number;
  /** Calls back once, at or soon after `at`; the returned function cancels it. Does not keep the process alive. */
  at(at: number, callback: () => void): () => void;
}
