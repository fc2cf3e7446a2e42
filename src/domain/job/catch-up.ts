/** The shape of how a job's pull request catches up with its base branch: updates, conflict rounds, and its turn for them. */
import * as z from "zod";
import { count, number, type Shape, sha, time, unset, words } from "./schema-parts.ts";

const turn = z.object({
  need: z.enum(["update", "conflict"]),
  /** Null: others come first. */
  taken_at: time.nullable(),
  /** Number of the pull request that comes right before; null: not known yet, or none does. */
  after: number.nullable(),
});
/** Pull requests for one base branch catch up one at a time, since each merge moves the base for all others. */
export type Turn = Shape<typeof turn>;
export type Need = Turn["need"];

export const catchUpSchema = z.object({
  /** As facts last told. The next brief then has the base merged before the agent begins. */
  conflicts: z.boolean().default(false),
  turn: unset(turn),
  /** The round is one to resolve conflicts, and facts have not told yet what came of it. */
  resolving: z.boolean().default(false),
  /** Somebody pushed to the job's branch during the last such round. */
  disturbed: z.boolean().default(false),
  /** Conflict rounds since a person last asked for something, and those that failed by themselves. */
  rounds: count.default(0),
  failures: count.default(0),
  /** GitHub was asked at this head to merge the base into it. */
  updating: unset(z.object({ sha, at: time })),
  /** How often in this round. */
  updates: count.default(0),
  /** What a person has to do, as the end of a sentence; null: nothing. */
  stuck: words.default(null),
  /** Readings in a row in which GitHub did not know whether it conflicts. */
  unknown: count.default(0),
});
export type CatchUp = Shape<typeof catchUpSchema>;

export const NO_CATCH_UP: CatchUp = catchUpSchema.parse({});
