/**
 * Selects the checks of a commit that count: the newest run per name, workflow and event. A cancelled check is ignored
 * if a later run of its workflow, on any event, reports the same one. Pure.
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
  /** Represents a whole run, none of whose jobs has begun. */
  readonly whole: boolean;
}

const isLater = (other: DatedCheck, one: DatedCheck): boolean =>
  one.workflow !== null &&
  other.workflow === one.workflow &&
  one.run !== null &&
  other.run !== null &&
  other.run > one.run &&
  (one.whole || other.check.name === one.check.name);

const isReplaced = (one: DatedCheck, all: readonly DatedCheck[]): boolean =>
  all.some(
    (other) =>
      isLater(other, one) &&
      (other.event === one.event || (one.check.state === "cancelled" && other.check.state !== "cancelled")),
  );

export const newestChecks = (all: readonly DatedCheck[]): readonly Check[] =>
  all.filter((one) => !isReplaced(one, all)).map(({ check }) => check);
