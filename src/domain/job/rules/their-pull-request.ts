/**
 * Rules for a job that works on a person's pull request: the work comes to their branch as one commit, on exactly the
 * head that it was made for. Whatever goes against that ends the job with the reason, and the work stays on the job's own
 * branch. Merging is never ours.
 */
import type { Report } from "../command.ts";
import { atOnce, type Context, change, type Decision, showComment, unchanged } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import { isFinal, type Job } from "../job.ts";
import { mergeAtFirst, theirs } from "../target.ts";
import { cancelRun, conclude, endUnpaid, failAttempt, verify } from "./end-attempt.ts";
import { firstLook } from "./first-look.ts";

const isThisAttempt = (job: Job, report: { readonly round: number; readonly attempt: number }): boolean =>
  report.round === job.round && report.attempt === job.attempt;

export const toTheirBranch = ({ round, attempt }: Job): WantedEffect =>
  atOnce({ type: "push-to-pull-request", round, attempt });

/** Their checks begin now, and are judged as those of a job's own pull request are; where they are quick, one comment tells of both. */
export function workPushed(job: Job, report: Report<"work-pushed">, { now }: Context): Decision {
  const target = theirs(job);
  if (target === null || !isThisAttempt(job, report) || job.status !== "submitted") return unchanged;
  const { head_sha } = report;
  const pushed: Job = { ...job, head_sha, head_seen_at: now, target: { ...target, head_sha, pushed_sha: head_sha } };
  return change(job, now, { set: pushed, effects: [showComment(now, "whenever"), firstLook(pushed, now)] });
}

/** Neither another attempt nor a retry helps: a person has to look. */
export function workStopped(job: Job, report: Report<"work-stopped">, { now }: Context): Decision {
  if (theirs(job) === null || !isThisAttempt(job, report) || isFinal(job.status)) return unchanged;
  const { sentence } = report;
  if (job.status === "submitted") return failAttempt(job, now, sentence, {}, "another's", true);
  return endUnpaid(job, now, "failed", { set: { failure: sentence }, note: sentence });
}

/** Since it was asked for, its checks have come to pass: no run is begun, and the branch of an earlier attempt goes. */
export function workNeedless(job: Job, report: Report<"work-needless">, { now }: Context): Decision {
  if (theirs(job) === null || !isThisAttempt(job, report)) return unchanged;
  if (job.status !== "queued" || job.brief_sha !== null) return unchanged;
  const { sentence: notice } = report;
  return verify({ ...job, rounds: conclude(job, notice) }, now, {
    set: { reasons: [], merge: mergeAtFirst(job), notice },
    note: notice,
    effects: [showComment(now, "now"), ...(job.head_sha === null ? [] : [atOnce({ type: "delete-branch" } as const)])],
  });
}

const MERGED_BEFORE = "The pull request was merged before any work of this job was on it.";

/** Whoever merges it has not waited for the work, so there is nothing left to work on. */
export function mergedWithout(job: Job, { by }: Report<"merged">, { now }: Context): Decision {
  if (isFinal(job.status)) return unchanged;
  const set = { notice: MERGED_BEFORE };
  return endUnpaid(job, now, "cancelled", { set, by, note: MERGED_BEFORE, effects: cancelRun(job) });
}

const PUSHED_SINCE = "Somebody has pushed to the branch since, so its checks are no longer those of this work.";

/** The work is there, and whoever has pushed goes on from it: nothing is overwritten, and nothing is left to judge. */
export function theirBranchMoved(job: Job, now: number): Decision {
  if (job.status !== "submitted") return unchanged;
  return verify(job, now, {
    set: { reasons: [], merge: mergeAtFirst(job), notice: PUSHED_SINCE },
    note: PUSHED_SINCE,
    effects: [showComment(now, "now"), atOnce({ type: "delete-branch" })],
  });
}
