/** Counters of the engine. */
import type { JobOutcome } from "../../domain/job/outcome.ts";

/** Counts the engine's doings for whoever watches the server. Must cost next to nothing and never throw. */
export interface Meter {
  /** How a try of an effect ended. */
  effect(ended: "done" | "later" | "abandoned"): void;
  /** A delivery is over, so long after it was recorded. */
  delivery(ended: "done" | "abandoned", ms: number): void;
  /** A job has come to this. */
  outcome(outcome: JobOutcome): void;
}
