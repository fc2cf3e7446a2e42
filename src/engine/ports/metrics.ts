/** Counters of the engine. */
import type { JobOutcome } from "../../domain/job/outcome.ts";

/** Counts what the engine does, for monitoring. Must be cheap and never throw. */
export interface Meter {
  /** The end of an attempt of an effect. */
  effect(ended: "done" | "later" | "abandoned"): void;
  /** The end of a delivery, and the time since it was recorded. */
  delivery(ended: "done" | "abandoned", ms: number): void;
  /** A job has reached an outcome. */
  outcome(outcome: JobOutcome): void;
}
