/**
 * Rules for the review of market work beyond its checks: by the judge, or by the sender if the judge cannot decide. A
 * review applies to one commit; a branch that moves is judged again, a limited number of times.
 */

import { marketOf } from "../../../contracts/settings.ts";
import { head } from "../../../text/text.ts";
import { agreed, isApprovedByTime } from "../../market/agreement.ts";
import { isAccount } from "../account.ts";
import type { Actor, Command } from "../command.ts";
import type { CommentId } from "../comment-id.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decision,
  later,
  refuse,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { Effect, WantedEffect } from "../effect.ts";
import {
  commitToName,
  heldFiles,
  isApart,
  isOnMarket,
  type Job,
  type Judgement,
  judgedSha,
  type MarketWork,
  marketWork,
  type Submission,
  statusAt,
  workerOf,
} from "../job.ts";
import { linesOf } from "../reason.ts";
import { isOnTheirBranch, isOnTheirs } from "../target.ts";
import { isWanted } from "../wanted-effects.ts";
import { failAttempt, verify } from "./end-attempt.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Commits of one attempt that a judge reads: each further one costs money and was not asked for. */
export const MOST_JUDGED = 5;
/** What the judge says is looked at together with the checks. */
const SETTLE_MS = 500;

/** Its pull request may still change what becomes of it. */
export const isWatched = (job: Job): boolean =>
  job.pull_request !== null &&
  heldFiles(job) === null &&
  job.merged_at === null &&
  (!isOnTheirs(job) || isOnTheirBranch(job)) &&
  (job.status === "submitted" ||
    job.status === "waiting_for_user" ||
    (job.status === "verified" && job.merge.state !== "off"));

/**
 * Who works for somebody else's money does not say by a merge of their own that the work is good; nor does a program, such
 * as this App for an earlier round, a merger whom nobody knows, nor a merge of what an earlier attempt has left. Checks, judge
 * and sender decide as if it had not been.
 */
export function saysNothing(job: Job, merge: Of<"merged">, merger: string | null): boolean {
  const { status, price_cents, account, submitted_at } = job;
  const worker = workerOf(job);
  if (status !== "submitted" || price_cents === 0 || worker === null) return false;
  if (isAccount(worker.account, account) || isAccount(merger, account)) return false;
  if (merger === null || isAccount(merger, worker.account)) return true;
  return merge.at < (submitted_at ?? 0);
}

/** Has the judge look at the work as it is now; only the market's is judged. */
export function askJudge(job: Job): { readonly set: Partial<Job>; readonly effects: WantedEffect[] } {
  const effect: Effect = {
    type: "judge",
    round: job.round,
    attempt: job.attempt,
    sha: judgedSha(job),
  };
  if (!isOnMarket(job) || !isWanted(effect, job)) return { set: {}, effects: [] };
  const nth = job.work.judgement?.nth ?? 0;
  if (nth < MOST_JUDGED) return { set: {}, effects: [atOnce(effect)] };
  const reasons = ["The branch has moved too often to be judged again."];
  const judgement: Judgement = { sha: effect.sha, verdict: "unsure", reasons, nth };
  return { set: { work: { ...job.work, judgement } }, effects: [] };
}

export function judged(job: Job, report: Of<"judged">, { now }: Context): Decision {
  const { round, sha, verdict, reasons } = report;
  if (!isOnMarket(job) || !isWanted({ type: "judge", round, attempt: report.attempt, sha }, job)) return unchanged;
  const nth = (job.work.judgement?.nth ?? 0) + (verdict === "none" ? 0 : 1);
  const judgement = { sha, verdict, reasons, nth };
  const judged = change(job, now, {
    set: { work: { ...job.work, judgement } },
    event: verdict === "none" ? null : "judged",
    note: [verdict, ...reasons.map((text) => `- ${text}`)].join("\n"),
    effects: isWatched(job) ? [later({ type: "read-facts", runs: [] }, now + SETTLE_MS)] : [],
  });
  if (job.status !== "submitted") return judged;
  if (verdict === "fail") {
    const why = ["The judge finds that the work does not do what was asked:", ...reasons.map((text) => `- ${text}`)];
    return andThen({ ...judged, effects: [] }, (next) => failAttempt(next, now, why.join("\n")));
  }
  if (!isApart(job)) return judged;
  const may_run = heldFiles(job) !== null && verdict === "pass" && marketOf(job.settings).run_checks === "after_judge";
  return andThen(judged, (next) => (may_run ? letRun(next, now, null) : leaveToSender(next, now)));
}

/** A worker's files come to the job's branch, and their pull request opens. */
export const takeIn = (
  { round, attempt }: Pick<Job, "round" | "attempt">,
  submission: Submission | null,
): WantedEffect[] => [
  ...(submission === null || submission.files.length === 0
    ? []
    : [atOnce({ type: "deliver-files", round, attempt } as const)]),
  atOnce({ type: "open-pull-request", round }),
];

/** From here on a stranger's code may run with what the checks of this repository see. */
export function letRun(job: Job, now: number, by: string | null): Decision {
  const work = marketWork(job);
  const submission = work?.delivery ?? null;
  const held = heldFiles(job);
  if (work === null || submission === null || held === null) return unchanged;
  const set: Partial<Job> = {
    work: { ...work, delivery: { ...submission, held: null }, sender_asked_at: null },
    reasons: [],
  };
  return change(job, now, {
    set,
    // nobody has waited for it where they run as they come
    event: by === null && held.sha === null ? null : "released",
    by,
    note: "Its files may run.",
    effects: [...takeIn(job, submission), ...showNow({ ...job, ...set }, now)],
  });
}

/** Why this word is not about the work as it is; null: it is. A worker may change it after somebody has read it. */
function otherFiles(job: Job, commit: string | undefined, verb: "run-checks" | "approve"): string | null {
  const held = heldFiles(job);
  if (held === null) {
    const judged = judgedSha(job);
    if (commit === undefined || judged?.startsWith(commit.toLowerCase())) return null;
    return `The work is at ${judged === null ? "no commit" : `commit ${judged}`} now: look at it again, then say so of that one.`;
  }
  const { sha, url } = held;
  const named = commitToName(job);
  const isFirst = job.round === 1 && job.attempt === 1;
  if (commit === undefined ? isFirst : sha?.startsWith(commit.toLowerCase())) return null;
  if (sha === null) return "Other files were handed in since; wait until they can be read, then say it again.";
  return `The files that wait are those of commit ${sha}: read ${url}, then say so of them, by \`/job ${verb} ${named ?? sha}\`.`;
}

export function runChecks(job: Job, { by, comment_id, commit }: Of<"run-checks">, { now }: Context): Decision {
  if (job.status !== "submitted" || (marketWork(job)?.delivery?.files.length ?? 0) === 0)
    return refuse("wrong_status", `This job is ${statusAt(job, now)}, and no files of it wait to be let run.`);
  if (heldFiles(job) === null) return unchanged;
  if (isApprovedByTime(job, now)) return refuse("wrong_status", TOO_LATE);
  const other = otherFiles(job, commit, "run-checks");
  if (other !== null) return refuse("wrong_status", other);
  const run = letRun(job, now, nameOf(by));
  return run.kind === "decided" ? { ...run, effects: [...seen(comment_id), ...run.effects] } : run;
}

/** The files can be read, so the judge is asked about them as they are. */
export function filesShown(job: Job, report: Of<"files-shown">, { now }: Context): Decision {
  const { round, sha, url } = report;
  const work = marketWork(job);
  const submission = work?.delivery ?? null;
  if (work === null || submission === null) return unchanged;
  if (!isWanted({ type: "show-files", round, attempt: report.attempt }, job)) return unchanged;
  const shown = change(job, now, { set: { work: { ...work, delivery: { ...submission, held: { sha, url } } } } });
  return andThen(shown, (next) => change(next, now, { ...askJudge(next) }));
}

/** The judge could not be asked, as often as it was tried: then it is not sure. */
export const judgeAway = (job: Job, effect: Extract<Effect, { type: "judge" }>, context: Context): Decision =>
  judged(job, { ...effect, type: "judged", verdict: "unsure", reasons: ["The model could not be asked."] }, context);

/** Work that is words alone, or files that may not run: no check sees it. */
function leaveToSender(job: Job, now: number): Decision {
  if (!isOnMarket(job)) return unchanged;
  const { work: reason } = agreed(null, job, now);
  return change(job, now, {
    set: { reasons: [reason], work: { ...job.work, sender_asked_at: job.work.sender_asked_at ?? now } },
    event: "checked",
    note: linesOf(reason),
    effects: showNow(job, now),
  });
}

/** Why nothing is merged of work that was taken apart from any pull request. */
const notMerged = (job: Job): Job["merge"] => ({
  state: "off",
  why: heldFiles(job) === null ? "there is no pull request" : "its files were never let run",
});

const TOO_LATE = "The time to object is over: the work counts as approved.";

/** A sender who was asked about work without a pull request has said nothing in time. */
export function silence(job: Job, now: number): Decision {
  if (!isOnMarket(job) || !isApprovedByTime(job, now)) return unchanged;
  const { work: reason } = agreed(null, job, now);
  if (reason.verdict !== "pass") return unchanged;
  const work: MarketWork = { ...job.work, approval: { sha: null, by: null, at: now }, sender_asked_at: null };
  return verify(job, now, {
    set: { work, reasons: [reason], merge: notMerged(job) },
    note: linesOf(reason),
    effects: showNow(job, now),
  });
}

/** Null: the sender may decide about this work. */
function notTheirs(job: Job, account: string, what: "approved" | "rejected", now: number): Decision | null {
  if (!isOnMarket(job))
    return refuse("wrong_status", "This job was not given to the market: merge or close its pull request instead.");
  if (!isAccount(account, job.account))
    return refuse("forbidden", `The work can be ${what} by ${job.account} alone, who has asked for it and pays.`);
  if (job.status !== "submitted")
    return refuse("wrong_status", `This job is ${statusAt(job, now)}; only submitted work can be ${what}.`);
  return null;
}

const nameOf = (by: Actor): string | null => by.login ?? by.account;

const seen = (comment_id: CommentId | null): WantedEffect[] =>
  comment_id === null ? [] : [atOnce({ type: "react", comment_id, content: "eyes" })];

export function approve(job: Job, { account, by, comment_id, commit }: Of<"approve">, { now }: Context): Decision {
  if (job.status === "verified" && isOnMarket(job) && isAccount(account, job.account)) return unchanged;
  const refused = notTheirs(job, account, "approved", now);
  if (refused !== null) return refused;
  const apart = isApart(job);
  const work = marketWork(job);
  if (work === null) return unchanged;
  if (apart && work.sender_asked_at === null)
    return refuse("wrong_status", "The work has just come and is being looked at; approve it in a minute.");
  const other = otherFiles(job, commit, "approve");
  if (other !== null) return refuse("wrong_status", other);
  const sha = judgedSha(job);
  return verify(job, now, {
    by: nameOf(by),
    note: "Approved by the sender.",
    set: {
      work: { ...work, approval: { sha, by: nameOf(by), at: now }, sender_asked_at: null },
      ...(apart ? { merge: notMerged(job) } : {}),
    },
    effects: [
      ...seen(comment_id),
      ...showNow(job, now),
      // paid it is; whether it may be merged is a question of its own
      ...(apart ? [] : [atOnce({ type: "read-facts", runs: [] })]),
    ],
  });
}

const MOST_REASON = 2_000;

export function rejectWork(
  job: Job,
  { account, by, reason, comment_id }: Of<"reject-work">,
  { now }: Context,
): Decision {
  const refused = notTheirs(job, account, "rejected", now);
  if (refused !== null) return refused;
  if (isApprovedByTime(job, now)) return refuse("wrong_status", TOO_LATE);
  const said = head(reason.trim(), MOST_REASON);
  const why = said === "" ? "The sender rejected the work." : `The sender rejected the work: ${said}`;
  const told = { by: nameOf(by), effects: [...seen(comment_id), showComment(now, "now")] };
  return failAttempt(job, now, why, told, "another's");
}
