/** Rules for the run of a round that resolves conflicts: its failure fails neither the job nor an attempt at its task. */

import { MOVED_MEANWHILE } from "../../../contracts/result.ts";
import { baseName, resolveByHand } from "../catching-up.ts";
import { atOnce, type Change, change, type Decided, showComment } from "../decision.ts";
import type { Job } from "../job.ts";
import { newAttempt } from "../schema.ts";
import { withoutResult } from "../usage.ts";
import { conclude, type Doing, failAttempt, retireRun } from "./end-attempt.ts";

/** A run of a conflict round is all that failed: the work as such was good, or is judged once it no longer conflicts. */
const isConflictRound = ({ catch_up, status, pull_request, cancellation_requested }: Job): boolean =>
  catch_up.resolving && status !== "submitted" && pull_request !== null && !cancellation_requested;

/** GitHub lets no App without that permission push it, and no attempt changes that. */
const WORKFLOWS = /without [`“”"']?workflows[`“”"']? permission/i;

/** Its run failed: the pull request is looked at as it is, and facts say whether that counts. */
function conflictRoundFailed(job: Job, now: number, why: string, extra: Change, last: boolean): Decided {
  const catch_up = extra.set?.catch_up ?? job.catch_up;
  const workflows = `${baseName(job)} has changed workflow files, which the App may not push; press “Update branch” or resolve the conflicts on ${job.branch}`;
  const stuck = WORKFLOWS.test(why)
    ? workflows
    : last
      ? `the round to resolve them failed; ${resolveByHand(job)}`
      : null;
  const moved = why.includes(MOVED_MEANWHILE);
  const set: Partial<Job> = {
    ...extra.set,
    ...withoutResult(job),
    ...newAttempt(retireRun(extra.set?.work ?? job.work)),
    status: "submitted",
    submitted_at: now,
    failure: null,
    reasons: [],
    rounds: conclude(job, why),
    catch_up: { ...catch_up, resolving: !moved, disturbed: moved, stuck, turn: stuck === null ? catch_up.turn : null },
  };
  return change(job, now, {
    ...extra,
    set,
    event: "submitted",
    note: why,
    effects: [
      ...(extra.effects ?? []),
      atOnce({ type: "open-pull-request", round: job.round }),
      showComment(now, "soon"),
    ],
  });
}

/** The run failed, and with it the attempt; where it had only to resolve conflicts, facts say what that means. */
export const failRun = (
  job: Job,
  now: number,
  why: string,
  extra: Change = {},
  doing: Doing = "worker's",
  last = false,
): Decided =>
  isConflictRound(job)
    ? conflictRoundFailed(job, now, why, extra, last)
    : failAttempt(job, now, why, extra, doing, last);
