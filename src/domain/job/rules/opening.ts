/**
 * Rules for finished work: a pull request with its first text, or the agent's own words if there is nothing to merge.
 */

import { pullRequestOf } from "../../../contracts/settings.ts";
import type { Report } from "../command.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decision,
  showCheck,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import { isOnMarket, type Job, marketWork } from "../job.ts";
import { reviewsOnPullRequest } from "../reviews.ts";
import { asksUser, waitForUser } from "./answering.ts";
import { failAttempt, verify } from "./end-attempt.ts";
import { firstLook } from "./first-look.ts";
import { askJudge } from "./reviewing.ts";

/** A question, a refusal or nothing to do is a legal result: no pull request, the comment carries the words. */
export function finishedWithout(job: Job, now: number, set: Partial<Job>): Decision {
  if (asksUser(job)) return waitForUser(job, now, set);
  const off = { ...set, merge: { state: "off", why: "nothing was changed" } } as const;
  return verify(job, now, { set: off, effects: showNow(job, now) });
}

/** A job has two attempts in a round, and each opens one at most. */
const MOST_FORMER = 1_000;

/** A check that is made when all others are over says as much, in one write; so does a comment on what is merged. */
const firstWords = (opened: Job, now: number): WantedEffect[] => [
  ...showCheck(opened, now, "whenever"),
  showComment(now, "whenever"),
];

/** A pull request is one job's for good, so that no work is paid twice: what a job leaves behind stays its own. */
function formerOf({ pull_request, former_pull_requests }: Job, next: number): readonly number[] {
  const left = pull_request === null || pull_request.number === next ? [] : [pull_request.number];
  return [...former_pull_requests, ...left].slice(-MOST_FORMER);
}

/** Of a new pull request of the App's own, and only if the settings want it. */
function triage(job: Job): WantedEffect[] {
  const { reviewers, labels, assign_requester } = pullRequestOf(job.settings);
  const wanted = reviewers.length > 0 || labels.length > 0 || (assign_requester && job.requester !== null);
  const isTheirs = (marketWork(job)?.delivery?.pull_request ?? null) !== null;
  return wanted && !isTheirs ? [atOnce({ type: "triage-pull-request" })] : [];
}

export function pullRequestTriaged(job: Job, report: Report<"pull-request-triaged">, { now }: Context): Decision {
  if (job.merged_at !== null) return unchanged;
  return change(job, now, { set: { triage_problem: report.sentence }, effects: [showComment(now, "soon")] });
}

export function pullRequestOpened(job: Job, report: Report<"pull-request-opened">, context: Context): Decision {
  const { now } = context;
  if (report.round !== job.round || job.status !== "submitted") return unchanged;
  if (context.pull_request_taken === true)
    return failAttempt(job, now, `Pull request #${report.number} belongs to another job; open one for this job alone.`);
  const opened: Job = {
    ...job,
    pull_request: { number: report.number, url: report.url },
    former_pull_requests: formerOf(job, report.number),
    reviews: reviewsOnPullRequest(job, report.number),
    head_sha: report.head_sha,
    head_seen_at: now,
  };
  if (asksUser(opened))
    return andThen(change(job, now, { set: opened, effects: [firstLook(opened, now)] }), (next) =>
      waitForUser(next, now),
    );
  const asked = askJudge(opened);
  return change(job, now, {
    set: { ...opened, ...asked.set },
    effects: [
      ...(job.pull_request === null ? triage(opened) : []),
      ...firstWords(opened, now),
      ...asked.effects,
      firstLook(opened, now),
    ],
  });
}

export function nothingToOpen(job: Job, report: Report<"nothing-to-open">, { now }: Context): Decision {
  if (report.round !== job.round || job.status !== "submitted") return unchanged;
  // of the market it is work all the same, which somebody has to look at before it is paid
  if (isOnMarket(job)) return change(job, now, askJudge(job));
  return finishedWithout(job, now, {});
}
