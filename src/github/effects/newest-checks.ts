/**
 * Selects the checks of a commit that count: the newest run per name, workflow and event. A cancelled check is ignored
 * if a later run of its workflow, on any event, reports the same one; a cancelled run, if one of its checks says more. Pure.
 */
import type { Check } from "../../domain/job/facts.ts";

/** A check with its age. */
export interface DatedCheck {
  readonly check: Check;
  /** Null when it does not come from a workflow. */
  readonly workflow: string | null;
  readonly event: string | null;
  /** Increases with each run; null when unknown. */
  readonly run: number | null;
  /** Represents a whole run: none of its jobs has begun, or it was cancelled before all had. */
  readonly whole: boolean;
}

const isLater = (other: DatedCheck, one: DatedCheck): boolean =>
  one.workflow !== null &&
  other.workflow === one.workflow &&
  one.run !== null &&
  other.run !== null &&
  other.run > one.run &&
  (one.whole || other.whole || other.check.name === one.check.name);

const isReplaced = (one: DatedCheck, all: readonly DatedCheck[]): boolean =>
  all.some(
    (other) =>
      isLater(other, one) &&
      (other.event === one.event || (one.check.state === "cancelled" && other.check.state !== "cancelled")),
  );

const TELLING: readonly Check["state"][] = ["cancelled", "failure", "action_required"];

/** A check of the same run already says why the run was not completed. */
const isTold = (one: DatedCheck, all: readonly DatedCheck[]): boolean =>
  one.whole && all.some((other) => !other.whole && other.run === one.run && TELLING.includes(other.check.state));

export const newestChecks = (all: readonly DatedCheck[]): readonly Check[] =>
  all.filter((one) => !isReplaced(one, all) && !isTold(one, all)).map(({ check }) => check);
