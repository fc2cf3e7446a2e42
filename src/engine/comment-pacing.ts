/**
 * Decides when a job's comment and check run are written. They are edited at most once in a while, so that changes which
 * come together take one write, and the last state is always written. Times of writes are kept in memory: after a restart
 * the first write is made at once.
 */
import { isShow, type PendingEffect } from "../domain/job/effect.ts";
import type { Job } from "../domain/job/job.ts";
import type { Clock } from "./ports/clock.ts";

export interface ShowPacing {
  /** When this effect may be performed, in milliseconds since the epoch. */
  dueAt(pending: PendingEffect, job: Job): number;
  /** It was written just now. */
  written(effect: PendingEffect["effect"], job: Job): void;
}

/** Between two edits of a comment while the job runs (github-facts 7.8). */
export const COMMENT_GAP_MS = 10_000;
/** The same for the check run. */
export const CHECK_GAP_MS = 15_000;

/** A job of the API gets its comment with its pull request: checks and a merge that are quick are told of in the same one. */
const FIRST_COMMENT_HOLD_MS = 10_000;
/** A merge, and checks that are over by then, are told of together with what led to them. */
const COMMENT_HOLD_MS = 5_000;
/** The same for whatever can wait, while the installation is short of writes: most CI is over by then. */
export const SHORT_HOLD_MS = 300_000;

type Shown = "comment" | "check";

const shownBy = ({ type }: PendingEffect["effect"]): Shown =>
  type === "sync-comment" || type === "show-place" ? "comment" : "check";

const GAPS: Readonly<Record<Shown, number>> = { comment: COMMENT_GAP_MS, check: CHECK_GAP_MS };
const LONGEST_GAP_MS = Math.max(COMMENT_GAP_MS, CHECK_GAP_MS);

/** How long a write that can wait is held back, for another that says as much. */
function holdOf(effect: PendingEffect["effect"], job: Job): number {
  if (shownBy(effect) === "check") return CHECK_GAP_MS;
  return job.comment === null ? FIRST_COMMENT_HOLD_MS : COMMENT_HOLD_MS;
}

/** A check belongs to a commit: a new head has none yet, so it gets one at once. */
const nameOf = (effect: PendingEffect["effect"], { id, head_sha }: Job): string =>
  shownBy(effect) === "comment" ? id : `${id} ${head_sha}`;

/** For a process that stays: writes are held back as long as somebody might wait for them. */
export function createShowPacing(clock: Clock, isShortOfWrites: (installation_id: number) => boolean): ShowPacing {
  const writes = new Map<string, number>();
  const forgetOld = (): void => {
    for (const [name, at] of writes) {
      if (at + LONGEST_GAP_MS > clock.now()) return;
      writes.delete(name);
    }
  };
  return {
    dueAt({ effect, urgency, not_before, attempts }, job) {
      if (!isShow(effect) || urgency === "now" || attempts > 0) return not_before;
      const hold = isShortOfWrites(job.repository.installation_id) ? SHORT_HOLD_MS : holdOf(effect, job);
      const held = urgency === "whenever" ? not_before + hold : not_before;
      const written = writes.get(nameOf(effect, job));
      return written === undefined ? held : Math.max(held, written + GAPS[shownBy(effect)]);
    },
    written(effect, job) {
      if (!isShow(effect)) return;
      forgetOld();
      const name = nameOf(effect, job);
      // the newest last
      writes.delete(name);
      writes.set(name, clock.now());
    },
  };
}

/** Long enough for one write to say what several commits of the same event have changed. */
const MOMENT_MS = 400;

/** For a process that ends as soon as it can: one event changes a comment once or twice. */
export const HURRIED_PACING: ShowPacing = {
  dueAt: ({ effect, urgency, not_before, attempts }) =>
    isShow(effect) && urgency !== "now" && attempts === 0 ? not_before + MOMENT_MS : not_before,
  written: () => undefined,
};
