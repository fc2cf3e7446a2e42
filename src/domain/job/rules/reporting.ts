/**
 * Rules for reports of a running attempt: progress, the submitted result, and a push by the App. None of them ends the
 * attempt: a run that has reported everything may still break, so only its end does.
 */

import type { Report } from "../command.ts";
import { type Context, change, type Decision, refuse, unchanged } from "../decision.ts";
import { type ActionsJob, isOnActions, type Job } from "../job.ts";
import { runAuthorizationOf } from "../run-claims.ts";
import { isOnTheirs } from "../target.ts";
import { withResult } from "../usage.ts";

/** A job that has no check by then gets one for its progress: those that are over sooner are spared two writes. */
export const PROGRESS_BEGINS_MS = 60_000;
/** The longer a run goes on, the less an update tells that is new: they come at this part of its age, */
const PROGRESS_SHARE = 0.25;
/** and at most as often as this. */
export const PROGRESS_GAP_MS = 15_000;

const isOurs = (job: Job, { run_id, attempt }: Report<"hand-in" | "progressed">): boolean =>
  runAuthorizationOf(job, { id: run_id, attempt }) === "ours";

/** May be said again: the last word counts, and what is known of a push meanwhile stands. */
export function handIn(job: Job, report: Report<"hand-in">, { now }: Context): Decision {
  if (!isOurs(job, report)) return refuse("wrong_status", "The attempt that this run belongs to is over.");
  if (!isOnActions(job)) return unchanged;
  const { run_id, attempt, result, old_workflow } = report;
  const before = job.work.handed_in;
  const clean_sha = before?.run_id === run_id && before.attempt === attempt ? before.clean_sha : null;
  const work = { ...job.work, old_workflow, handed_in: { run_id, attempt, clean_sha } };
  return change(job, now, { set: { ...withResult(job, result, { id: run_id, attempt }), work } });
}

/** When the next update of the check run may be. */
function progressDue(job: ActionsJob, now: number): number {
  const { check, head_sha } = job;
  const { progress_at } = job.work;
  const begun = job.accepted_at ?? now;
  const shown = check !== null && check.sha === head_sha;
  const first = begun + (shown ? PROGRESS_GAP_MS : PROGRESS_BEGINS_MS);
  const next =
    progress_at === null ? first : progress_at + Math.max(PROGRESS_GAP_MS, (progress_at - begun) * PROGRESS_SHARE);
  return Math.max(now, next);
}

/** One update is asked for at a time, and shows what there is by then. */
export function progressed(job: Job, report: Report<"progressed">, { now }: Context): Decision {
  if (!isOnActions(job) || !isOurs(job, report) || job.head_sha === null || isOnTheirs(job)) return unchanged;
  const { progress_at } = job.work;
  if (progress_at !== null && progress_at > now) return unchanged;
  const at = progressDue(job, now);
  return change(job, now, {
    set: { work: { ...job.work, progress_at: at } },
    effects: [{ effect: { type: "show-progress" }, urgency: "soon", not_before: at }],
  });
}

/** The branch of a running job has another head. */
export function pushed(job: Job, { sha, clean }: Report<"head-moved">, { now }: Context): Decision {
  if (!isOnActions(job)) return unchanged;
  const known = job.work.handed_in;
  const seen = (clean_sha: string | null) => ({ ...job.work, handed_in: known && { ...known, clean_sha } });
  if (known === null || sha === job.brief_sha || known.clean_sha === sha) return unchanged;
  if (clean === true) return change(job, now, { set: { head_sha: sha, work: seen(sha) } });
  // somebody else pushed, before or after: GitHub is asked at the run's end
  return known.clean_sha === null ? unchanged : change(job, now, { set: { work: seen(null) } });
}
