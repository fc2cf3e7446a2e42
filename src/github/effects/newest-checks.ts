/**
 * Which checks of a commit count: of those of one name, workflow and event the newest run's. What was cancelled counts
 * for nothing where a later run of its workflow tells the same, on whatever event. Pure.
 */
import type { Check } from "../../domain/job/facts.ts";

/** A check with what tells its age. */
export interface DatedCheck {
  readonly check: Check;
  /** Null: no workflow made it. */
  readonly workflow: string | null;
  readonly event: string | null;
  /** Grows from run to run; null: not known. */
  readonly run: number | null;
  /** It stands for a whole run, none of whose jobs has begun. */
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
