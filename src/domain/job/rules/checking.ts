/**
 * Rules from pull request to merge: reading facts, judging them, merging, and changes by GitHub or people meanwhile.
 */

import type { Report } from "../command.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decided,
  type Decision,
  later,
  showCheck,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Facts } from "../facts.ts";
import { isApart, isFinal, isOnActions, isOnMarket, type Job, type MarketJob, marketWork } from "../job.ts";
import { exitSeen } from "../merge-queue.ts";
import { evaluate, failureOf, needsPerson, type Verdict } from "../merge-verdict.ts";
import { linesOf, type Reason } from "../reason.ts";
import { noneWaiting } from "../reviews.ts";
import { isOnTheirBranch, isOnTheirs } from "../target.ts";
import { lineUp } from "./catch-up.ts";
import { cancelRun, endUnpaid, failAttempt, verify } from "./end-attempt.ts";
import { incomplete, nextFirstLook } from "./first-look.ts";
import { isLeftToGitHub, takeBack, WAITING } from "./merge-order.ts";
import { leftQueue, type MergeStep, queueStep } from "./queueing.ts";
import { pushed } from "./reporting.ts";
import { askJudge, isWatched, saysNothing, silence } from "./reviewing.ts";
import { payTaken, takenWork } from "./taking.ts";
import { mergedWithout, theirBranchMoved } from "./their-pull-request.ts";
import { whileWaiting } from "./waiting-for-checks.ts";

/** CI's last events come in a bunch: one reading answers them all, and GitHub's own view has settled by then. */
export const SETTLE_MS = 500;
/** Before asking again about what GitHub computes by itself. */
const AGAIN_MS = 5_000;
/** How often GitHub may refuse a merge, or not know, before a person must look. */
const MOST_REFUSALS = 5;
const MOST_CI_RUNS = 50;

/** Reads facts only when they could change the verdict: while a known run is open they cannot, unless webhooks are in doubt. */
export function reevaluate(job: Job, forced: boolean, { now }: Context): Decision {
  if (forced && isOnActions(job) && (job.status === "queued" || job.status === "accepted") && job.pushed_at !== null)
    return change(job, now, { effects: [atOnce({ type: "read-run", run_id: job.work.run?.id ?? null })] });
  if (isApart(job)) return silence(job, now);
  if (!isWatched(job)) return unchanged;
  const open = incomplete(job);
  if (open.length > 0 && !forced) return unchanged;
  return change(job, now, { effects: [later({ type: "read-facts", runs: forced ? open : [] }, now + SETTLE_MS)] });
}

export function ciRunChanged(job: Job, report: Report<"ci-run-changed">, context: Context): Decision {
  if (job.status === "pending_payment" || job.merged_at !== null) return unchanged;
  const known = job.ci_runs.find((run) => run.id === report.id);
  if (
    known &&
    (report.attempt < known.attempt || (report.attempt === known.attempt && (known.complete || !report.complete)))
  )
    return unchanged;
  const { id, attempt, sha, complete } = report;
  const ci_runs = [...job.ci_runs.filter((run) => run.id !== id), { id, attempt, sha, complete }].slice(-MOST_CI_RUNS);
  const noted = change(job, context.now, { set: { ci_runs } });
  if (sha !== job.head_sha) return noted;
  return andThen(noted, (next) => (complete ? reevaluate(next, false, context) : ciBegun(next, context)));
}

/** Its end is waited for: a look before it is put off. */
function ciBegun(job: Job, { now }: Context): Decision {
  const look = isWatched(job) ? nextFirstLook(job, now) : null;
  return look === null ? unchanged : change(job, now, { effects: [look] });
}

/**
 * Somebody else pushed to the branch. The event may be days old, so it is only a reason to look: the head is taken from
 * facts. While the agent works, it may be the push that its run has announced.
 */
export function headMoved(job: Job, report: Report<"head-moved">, context: Context): Decision {
  const { sha } = report;
  const { now } = context;
  if (job.status === "accepted") return pushed(job, report, context);
  if (!isWatched(job) || job.head_sha === sha) return unchanged;
  return change(job, now, { effects: [later({ type: "read-facts", runs: [] }, now + SETTLE_MS)] });
}

const sameReasons = (a: readonly Reason[], b: readonly Reason[]): boolean => JSON.stringify(a) === JSON.stringify(b);

export function observe(job: Job, facts: Facts, context: Context): Decision {
  const { now } = context;
  if (!isWatched(job)) return unchanged;
  if (facts.state === "merged" && job.pull_request !== null) {
    const { number } = job.pull_request;
    const report = { type: "merged", pull_request: number, by: facts.merged_by, at: facts.merged_at ?? now } as const;
    if (!saysNothing(job, report, mergerIn(context))) return merged(job, report, context);
    return andThen(weigh(job, facts, context), (next) =>
      next.status === "verified" ? merged(next, report, context) : unchanged,
    );
  }
  if (facts.state === "closed" && job.pull_request !== null)
    return closed(job, { type: "closed", pull_request: job.pull_request.number, by: null }, context);
  return weigh(job, facts, context);
}

const askedAt = ({ work }: MarketJob, { asks_sender }: Verdict, now: number): number | null =>
  asks_sender ? (work.sender_asked_at ?? now) : null;

const conflictsNow = (job: Job, { mergeable }: Facts): boolean =>
  !isOnTheirs(job) && (mergeable === "unknown" ? job.catch_up.conflicts : mergeable === "conflict");

/** What these facts say of the work, and what follows. */
function weigh(job: Job, facts: Facts, context: Context): Decision {
  const { now } = context;
  const verdict = evaluate(facts, job, now);
  const reasons = isOnTheirs(job) ? [verdict.work] : [verdict.work, verdict.merge];
  const seen: Partial<Job> = {
    reasons,
    head_sha: facts.head_sha,
    ci_runs: job.ci_runs.map((run) => (facts.complete_runs.includes(run.id) ? { ...run, complete: true } : run)),
    settings: facts.settings,
    settings_problem: facts.settings_problem,
    base: facts.base_renamed ? { ...job.base, branch: facts.base } : job.base,
    // the next attempt has the base merged, too
    catch_up: { ...job.catch_up, conflicts: conflictsNow(job, facts) },
    notice: null,
    work: isOnMarket(job) ? { ...job.work, sender_asked_at: askedAt(job, verdict, now) } : job.work,
  };
  if (facts.head_sha !== job.head_sha)
    return isOnTheirs(job) ? theirBranchMoved(job, now) : movedOn(job, facts.head_sha, now);
  const exit = exitSeen(job, facts);
  if (exit !== null) return leftQueue(job, facts, exit, context, (next) => weigh(next, facts, context));
  if (job.status === "submitted" && verdict.work.verdict === "fail")
    return failAttempt(job, now, failureOf(facts) || linesOf(verdict.work), {
      set: { ...seen, reasons: [verdict.work] },
    });
  const linedUp = (first: Decision): Decision => andThen(first, (next) => lineUp(next, facts, verdict, context));
  if (job.status === "submitted" && verdict.work.verdict === "pass")
    return linedUp(passed(job, facts, verdict, seen, context));
  const told = !sameReasons(job.reasons, reasons);
  const waiting =
    job.status === "verified"
      ? stillMerging(job, facts, verdict, seen, told, context)
      : stillWaiting(job, verdict, seen, told, now);
  const more = whileWaiting(waiting.job, facts, verdict.work, now);
  return linedUp({ ...waiting, job: more.job, effects: [...waiting.effects, ...more.effects] });
}

/** Another commit than the one that was judged: everything is looked at again. */
function movedOn(job: Job, head_sha: string, now: number): Decided {
  const moved: Job = { ...job, head_sha, head_seen_at: now, ...(isLeftToGitHub(job) ? { merge: WAITING } : {}) };
  const catch_up = { ...job.catch_up, updating: null, stuck: null };
  const asked = askJudge(moved);
  return change(moved, now, {
    set: { ...asked.set, catch_up },
    effects: [
      ...takeBack(job),
      ...showCheck(moved, now, "soon"),
      ...asked.effects,
      later({ type: "read-facts", runs: [] }, now + AGAIN_MS),
    ],
  });
}

function stillWaiting(
  job: Job,
  { work, asks_sender }: Verdict,
  seen: Partial<Job>,
  told: boolean,
  now: number,
): Decided {
  const urgency = (asks_sender && marketWork(job)?.sender_asked_at === null) || needsPerson(work) ? "now" : "soon";
  const news = !sameReasons(job.reasons.slice(0, 1), [work]);
  return change(job, now, {
    set: seen,
    event: news ? "checked" : null,
    note: linesOf(work),
    effects: told ? [...showCheck(job, now, urgency), showComment(now, urgency)] : [],
  });
}

const autoMerges = (job: Job): boolean => job.merge.state === "auto";

function stillMerging(
  job: Job,
  facts: Facts,
  verdict: Verdict,
  seen: Partial<Job>,
  told: boolean,
  { now }: Context,
): Decided {
  const step = mergeStep(job, facts, verdict, now);
  const off = step.set.merge?.state === "off";
  return change(job, now, {
    set: { ...seen, ...step.set },
    effects: [...(told || off ? [showComment(now, off ? "now" : "soon")] : []), ...step.effects],
  });
}

function passed(job: Job, facts: Facts, verdict: Verdict, seen: Partial<Job>, context: Context): Decision {
  const { now } = context;
  const step = mergeStep(job, facts, verdict, now);
  const coming = step.set.merge?.state === "merging";
  // nobody objected: that is said of this commit, and of no later one
  const silent = verdict.asks_sender ? { approval: { sha: facts.head_sha, by: null, at: now } } : {};
  const work = isOnMarket(job) ? { ...job.work, ...silent, sender_asked_at: null } : job.work;
  return verify(job, now, {
    set: { ...seen, ...step.set, work },
    note: linesOf(verdict.work),
    effects: [
      ...showCheck(job, now, "now"),
      // the merge itself has the comment written at once; this is for one that takes its time
      showComment(now, coming ? "whenever" : "now"),
      ...step.effects,
      ...(isOnTheirs(job) ? [atOnce({ type: "delete-branch" } as const)] : []),
    ],
  });
}

/** What the verdict on merging leads to. Our own check may be among the rules that GitHub waits for, so a wait is looked at again. */
function mergeStep(job: Job, facts: Facts, verdict: Verdict, now: number): MergeStep {
  const { work, merge } = verdict;
  const method = facts.settings.auto_merge.method;
  const deletes_branch = facts.deletes_branch_on_merge;
  const refusals = "refusals" in job.merge ? job.merge.refusals : 0;
  const sha = facts.head_sha;
  if (merge.never) return { set: { merge: { state: "off", why: merge.text } }, effects: takeBack(job) };
  const queue = queueStep(job, facts, verdict, refusals, now);
  if (queue !== null) return queue;
  if (merge.how === "now")
    return {
      set: { merge: { state: "merging", sha, refusals, deletes_branch } },
      effects: [atOnce({ type: "merge", sha, method })],
    };
  if (merge.how === "auto")
    return {
      set: { merge: { state: "auto", sha, deletes_branch } },
      effects: [atOnce({ type: "enable-auto-merge", sha, method })],
    };
  if (autoMerges(job)) {
    const stands =
      work.verdict === "pass" &&
      (facts.mergeable === "unknown" || (facts.auto_merge_enabled && facts.review !== "changes_requested"));
    return stands ? { set: {}, effects: [] } : { set: { merge: WAITING }, effects: takeBack(job) };
  }
  if (isLeftToGitHub(job)) return { set: { merge: WAITING }, effects: takeBack(job) };
  const again = refusals < MOST_REFUSALS && (job.status === "submitted" || facts.mergeable === "unknown");
  return {
    set: { merge: { state: "waiting", refusals: again ? refusals + 1 : refusals } },
    effects: again ? [later({ type: "read-facts", runs: [] }, now + AGAIN_MS)] : [],
  };
}

export function mergeRefused(job: Job, report: Report<"merge-refused">, { now }: Context): Decision {
  if (job.status !== "verified" || job.merged_at !== null || job.merge.state === "off") return unchanged;
  const refusals = ("refusals" in job.merge ? job.merge.refusals : 0) + 1;
  if (report.final || refusals >= MOST_REFUSALS)
    return change(job, now, { set: { merge: { state: "off", why: report.sentence } }, effects: showNow(job, now) });
  return change(job, now, {
    set: { merge: { state: "waiting", refusals } },
    effects: [later({ type: "read-facts", runs: [] }, now + AGAIN_MS), showComment(now, "soon")],
  });
}

const mergerIn = ({ merger = null }: Context): string | null => merger;

/** The pull request was merged, by us or by a person: that is the last word on the work. */
export function merged(job: Job, report: Report<"merged">, context: Context): Decision {
  const { now } = context;
  if (isOnMarket(job)) {
    const taken = takenWork(job, report, mergerIn(context));
    if (taken !== null) return payTaken(job, taken, report, context);
  }
  if (job.pull_request?.number !== report.pull_request || job.merged_at !== null) return unchanged;
  if (isOnTheirs(job) && !isOnTheirBranch(job)) return mergedWithout(job, report, context);
  if (saysNothing(job, report, mergerIn(context)))
    return change(job, now, { effects: [later({ type: "read-facts", runs: [] }, now + SETTLE_MS)] });
  const ours = job.merge.state === "merging" || isLeftToGitHub(job);
  const left =
    ours &&
    !("deletes_branch" in job.merge && job.merge.deletes_branch) &&
    job.settings?.auto_merge.delete_branch === true;
  const set: Partial<Job> = { merged_at: report.at, notice: null, waiting_messages: [], reviews: noneWaiting(job) };
  const effects: WantedEffect[] = [
    ...cancelRun(job),
    ...(left ? [atOnce({ type: "delete-branch" })] : []),
    // of a merge that was not expected the check says otherwise
    ...(job.status === "verified" && job.merge.state === "off" ? showCheck(job, now, "now") : []),
    showComment(now, "now"),
  ];
  const settled = job.status === "verified" || (isFinal(job.status) && job.price_cents > 0);
  if (settled) return change(job, now, { set, event: "merged", by: report.by, effects });
  return andThen(
    verify(job, now, { set, by: report.by, effects: [...showCheck(job, now, "now"), ...effects] }),
    (next) => change(next, now, { event: "merged", by: report.by }),
  );
}

/** Their word stands, until the pull request is reopened or goes into another round. */
export function autoMergeDisabled(job: Job, report: Report<"auto-merge-disabled">, context: Context): Decision {
  const { by, base } = report;
  const { now } = context;
  if (!isWatched(job) || !autoMerges(job)) return unchanged;
  // GitHub turns it off itself where the pull request gets another base, in the name of whoever deleted the old one
  if (base !== undefined && base !== job.base.branch)
    return andThen(change(job, now, { set: { merge: WAITING } }), (next) => reevaluate(next, true, context));
  const why = `${by} has turned auto-merge off`;
  return change(job, now, { set: { merge: { state: "off", why } }, effects: showNow(job, now) });
}

/** Closed unmerged: the sender does not want it. */
export function closed(job: Job, report: Report<"closed">, { now }: Context): Decision {
  if (job.pull_request?.number !== report.pull_request || job.merged_at !== null) return unchanged;
  const why = "The pull request was closed without merging.";
  if (isFinal(job.status))
    return job.merge.state === "off"
      ? unchanged
      : change(job, now, { set: { merge: { state: "off", why } }, effects: showNow(job, now) });
  if (isOnMarket(job))
    return job.status === "accepted" || job.status === "submitted"
      ? failAttempt(job, now, why, {}, "another's")
      : unchanged;
  return endUnpaid(job, now, "cancelled", { by: report.by, note: why, effects: cancelRun(job) });
}

export function reopened(job: Job, report: Report<"reopened">, context: Context): Decision {
  if (job.pull_request?.number !== report.pull_request || job.status !== "verified" || job.merged_at !== null)
    return unchanged;
  if (isOnTheirs(job)) return unchanged;
  const waiting = change(job, context.now, { set: { merge: { state: "waiting", refusals: 0 } } });
  return andThen(waiting, (next) => reevaluate(next, false, context));
}
