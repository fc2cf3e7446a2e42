/** What is kept of a schedule beside its entry in a file: when it comes next, and what came of its runs. */
import * as z from "zod";
import { OUTCOME_WORDS } from "../job/outcome.ts";

const time = z.number();

/**
 * `told`: an event was sent. `not_started`: there is no job, and `why` says why. `no_room`: there is none since a limit did
 * not leave room for it, which is no failure.
 */
export const RUN_ENDS = [...OUTCOME_WORDS, "told", "not_started", "no_room"] as const;
export type RunEnd = (typeof RUN_ENDS)[number];

const nextSchema = z.object({
  /** As its expression says. */
  due_at: time,
  /** A little later, so that not all begin in one second. */
  starts_at: time,
  /** When this was worked out. */
  set_at: time,
});

const lastSchema = z.object({
  due_at: time,
  /** Null: it is about to be made, or there is none. */
  job: z.string().nullable(),
  /** Null: it is open. */
  came_to: z.enum(RUN_ENDS).nullable(),
  /** Why it failed, in a sentence. */
  why: z.string().nullable(),
});

const scheduleStateSchema = z.object({
  name: z.string(),
  /** Expression and zone that its next time follows from. */
  pattern: z.string(),
  /** Null: it is off, paused, or never comes again. */
  next: nextSchema.nullable(),
  /** Null: it has never run. */
  last: lastSchema.nullable(),
  /** The time that was left out last, since the run before was still open. */
  skipped_at: time.nullable(),
  /** Runs that failed, one after another. */
  failures: z.number().int().nonnegative(),
  paused_at: time.nullable(),
});

export const schedulesField = z.array(scheduleStateSchema).catch([]);

export type ScheduleState = Readonly<z.output<typeof scheduleStateSchema>>;
export type LastRun = Readonly<z.output<typeof lastSchema>>;
