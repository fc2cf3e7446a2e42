/**
 * Rules for an attempt on GitHub Actions: brief pushed, run started and ended, result read, pull request opened.
 * Webhooks come late, twice, out of order, and before the outcome of the App's own push: each rule accepts what it
 * recognises as its own and ignores the rest.
 */
import { RUN_COMMIT_PREFIX } from "../../../contracts/brief.ts";
import { marketOf, type RepositorySettings } from "../../../contracts/settings.ts";
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
import {
  type ActionsJob,
  actionsWork,
  fullName,
  GONE,
  isAtRest,
  isFinal,
  isOnActions,
  isOnMarket,
  issueOf,
  type Job,
  type Run,
  runOf,
  type Target,
  type Work,
  workerOf,
} from "../job.ts";
import { START_GIVEN_UP_MS } from "../next-timer.ts";
import { capInBrief, limitsOf } from "../raised-limits.ts";
import { isOnTheirBranch, isOnTheirs, mergeAtFirst } from "../target.ts";
import { mayHaveEndedUnbegun, RUN_COULD_NOT_START } from "../unbegun.ts";
import { withResult } from "../usage.ts";
import { failRun } from "./conflict-round.ts";
import { cancelRun, endUnpaid, MOST_ROUNDS, retireRun } from "./end-attempt.ts";
import { marketOff } from "./market.ts";
import { finishedWithout } from "./opening.ts";
import { answerReviews, withAnswers } from "./review-round.ts";
import { letRun } from "./reviewing.ts";
import { toTheirBranch } from "./their-pull-request.ts";

const isThisAttempt = (job: Job, report: { readonly round: number; readonly attempt: number }): boolean =>
  report.round === job.round && report.attempt === job.attempt;

/** Start of a run, images and push around the agent's own minutes and those of the set-up commands. */
const RUN_ALLOWANCE_SECONDS = 15 * 60;

const runSecondsOf = (job: Job, settings: RepositorySettings): number =>
  (limitsOf(job, settings).minutes + (settings.container?.setup_minutes ?? 0)) * 60 + RUN_ALLOWANCE_SECONDS;

/**
 * A run can be over before the outcome of our push is known, or have pushed. What a market's worker hands in waits for
 * the push.
 */
const hasMovedOn = (job: Job): boolean =>
  isOnActions(job) && (job.status === "submitted" || isAtRest(job.status) || Boolean(job.work.handed_in?.clean_sha));

export function briefPushed(job: Job, report: Report<"brief-pushed">, context: Context): Decision {
  const { now } = context;
  const pushed = {
    head_sha: report.head_sha,
    base: { ...report.base, is_default: job.base.is_default },
    settings: report.settings,
    settings_problem: report.settings_problem ?? null,
    discussed_until: report.discussed_until ?? job.discussed_until,
    work: isOnActions(job) ? { ...job.work, llm: report.llm ?? null } : job.work,
  };
  if (!isThisAttempt(job, report)) return unchanged;
  if (isOnMarket(job) && !isFinal(job.status) && !marketOf(report.settings).enabled) {
    const failure = marketOff(fullName(job.repository));
    const set = { ...pushed, failure };
    return endUnpaid(job, now, "failed", { set, note: failure, effects: [atOnce({ type: "delete-branch" })] });
  }
  if (isFinal(job.status)) {
    // cancelled while the push was under way: what it left must go
    return change(job, now, {
      set: { ...pushed, brief_sha: report.head_sha },
      // after a merge too, which a push under way would bring the branch back from
      effects:
        job.pull_request === null || isOnTheirs(job) || job.merged_at !== null
          ? [atOnce({ type: "delete-branch" })]
          : [],
    });
  }
  const limit = isOnActions(job) ? runSecondsOf(job, report.settings) : job.time_limit_seconds;
  const next = {
    ...pushed,
    head_sha: hasMovedOn(job) ? job.head_sha : report.head_sha,
    brief_sha: report.head_sha,
    pushed_at: now,
    time_limit_seconds: limit,
    notice: null,
    target: withBrief(job, report),
    reserved: withCap(job, report.settings),
  };
  const early = (actionsWork(job)?.early_runs ?? []).filter(({ head_sha }) => head_sha === report.head_sha);
  const work = pushed.work.kind === "actions" ? { ...pushed.work, early_runs: [] } : pushed.work;
  const known = early.reduce<Decision>(
    (decision, { run, head_sha }) =>
      andThen(decision, (told) =>
        runChanged(
          told,
          { type: "run-changed", run, head_sha, commit_message: `${RUN_COMMIT_PREFIX}${job.id}` },
          context,
        ),
      ),
    change(job, now, { set: { ...next, work }, effects: [firstComment(job, now)] }),
  );
  // handed in before it was known what may run
  return marketOf(report.settings).run_checks === "always" ? andThen(known, (one) => letRun(one, now, null)) : known;
}

/** What its brief allows it: less than was reserved, if the settings of its base allow less. */
function withCap(job: Job, settings: RepositorySettings): Job["reserved"] {
  return job.reserved === null ? null : { ...job.reserved, cents: capInBrief(job, settings) };
}

/** What a brief has seen of the person's branch. */
function withBrief({ target }: Job, { base, failing = null }: Report<"brief-pushed">): Target {
  return target.kind === "own" ? target : { ...target, head_sha: target.head_sha ?? base.sha, failing };
}

/** The first one is the sign that somebody was heard. */
const firstComment = (job: Job, now: number): WantedEffect =>
  showComment(now, job.comment === null && job.status === "queued" ? "now" : "soon");

export function briefRefused(job: Job, report: Report<"brief-refused">, { now }: Context): Decision {
  // one that is there already may be pushed again, unheard
  if (!isThisAttempt(job, report) || isFinal(job.status) || job.brief_sha !== null) return unchanged;
  return endUnpaid(job, now, "failed", { set: { failure: report.sentence }, note: report.sentence });
}

const RANK: Readonly<Record<Run["status"], number>> = { queued: 0, in_progress: 1, completed: 2 };

/** News of the same run at the same attempt, no further than what is known. */
const isOld = (known: Run | null, run: Run): boolean =>
  known !== null &&
  known.id === run.id &&
  (run.attempt < known.attempt || (run.attempt === known.attempt && RANK[run.status] <= RANK[known.status]));

/** Runs of one branch that are held back until the brief's commit is known; more than one is a person's push. */
const MOST_EARLY_RUNS = 5;

/** Anybody who may push can write a brief's message, so until the brief's commit is known a run is not believed. */
function heldBack(job: ActionsJob, { run, head_sha }: Report<"run-changed">, { now }: Context): Decision {
  const early = job.work.early_runs;
  if (early.some((one) => isOld(one.run, run))) return unchanged;
  const others = early.filter((one) => one.run.id !== run.id);
  return change(job, now, {
    set: { work: { ...job.work, early_runs: [...others, { run, head_sha }].slice(-MOST_EARLY_RUNS) } },
  });
}

/** Is it the run of this attempt, or may it be while the brief's commit is not known? */
const isOurs = (job: ActionsJob, report: Report<"run-changed">): boolean =>
  report.commit_message.startsWith(`${RUN_COMMIT_PREFIX}${job.id}`) &&
  !job.work.past_runs.includes(report.run.id) &&
  (job.brief_sha === null || job.brief_sha === report.head_sha);

/** Somebody pressed “Re-run” on GitHub for the run of a failed job: a round that GitHub has begun for us. */
const isRerun = (job: ActionsJob, run: Run): boolean =>
  job.status === "failed" && job.price_cents === 0 && job.work.run?.id === run.id && run.attempt > job.work.run.attempt;

/** Still going after its deadline, by GitHub's own word. */
const isOverdue = (job: ActionsJob, { run, fresh }: Report<"run-changed">, now: number): boolean =>
  fresh === true &&
  run.status !== "completed" &&
  job.status === "accepted" &&
  job.work.run?.id === run.id &&
  job.work.run.status !== "completed" &&
  job.deadline_at !== null &&
  now >= job.deadline_at;

/** The end of a run may have been told while nobody listened: GitHub is asked before its work is thrown away. */
export function missDeadline(job: Job, { now }: Context): Decision {
  const run = runOf(job);
  return run === null || run.status === "completed"
    ? unchanged
    : change(job, now, { effects: [atOnce({ type: "read-run", run_id: run.id })] });
}

export function runChanged(job: Job, report: Report<"run-changed">, context: Context): Decision {
  const { run } = report;
  if (!isOnActions(job)) return unchanged;
  if (isOverdue(job, report, context.now))
    return failRun(job, context.now, "The time limit was exceeded.", { effects: cancelRun(job) });
  if (isOld(job.work.run, run)) return unchanged;
  if (isRerun(job, run)) {
    const asked = job.rounds.at(-1)?.asked ?? job.task;
    const reopened: ActionsJob = {
      ...job,
      status: "queued",
      round: job.round + 1,
      attempt: 1,
      attempt_count: 0,
      work: { ...job.work, run: null },
      rounds: [...job.rounds, { asked, by: null, did: "" }].slice(-MOST_ROUNDS),
      merge: mergeAtFirst(job),
    };
    const begun = runChanged(reopened, report, context);
    return begun.kind === "decided"
      ? { ...begun, effects: [showComment(context.now, "soon"), ...begun.effects] }
      : begun;
  }
  if (!isOurs(job, report)) return unchanged;
  if (isFinal(job.status)) return runOfOver(job, report, context);
  if (job.brief_sha === null) return heldBack(job, report, context);
  if (job.status === "queued") return startedRun(job, report, context);
  // pressed “Re-run” while its work is being checked: that is there already
  if ((job.status === "submitted" || job.status === "waiting_for_user") && run.status !== "completed")
    return change(job, context.now, {
      set: { work: { ...job.work, run } },
      effects: [atOnce({ type: "cancel-run", run_id: run.id })],
    });
  if (job.status !== "accepted") return unchanged;
  const next = { ...job, work: { ...job.work, run } };
  return run.status === "completed" ? endedRun(next, context) : change(job, context.now, { set: next });
}

/** Nobody wants it any more. One that had not begun has cost nothing, which GitHub is asked about where that counts. */
function runOfOver(job: ActionsJob, report: Report<"run-changed">, { now }: Context): Decision {
  const { run, fresh } = report;
  const set = { work: { ...job.work, run } };
  if (run.status !== "completed")
    return change(job, now, { set, effects: [atOnce({ type: "cancel-run", run_id: run.id })] });
  if (!mayHaveEndedUnbegun(job, run)) return unchanged;
  return fresh === true
    ? change(job, now, { set })
    : change(job, now, { effects: [atOnce({ type: "read-run", run_id: run.id })] });
}

/**
 * The brief's commit is soon left behind, and its check with it. Where a comment tells of the job and no pull request
 * shows its checks yet, that check would cost two writes that nobody reads.
 */
const checkAtStart = (job: Job, now: number): WantedEffect[] =>
  issueOf(job.origin) !== null && job.pull_request === null ? [] : showCheck(job, now, "now");

/** What the comment says of a pushed brief is true of its run as well: a run is worth an edit only where a notice goes. */
const withoutNotice = ({ notice }: Job, now: number): WantedEffect[] =>
  notice === null ? [] : [showComment(now, "soon")];

/** A run that waits for a runner is known but has not begun; the clock starts when it does. */
function startedRun(job: ActionsJob, { run, head_sha }: Report<"run-changed">, context: Context): Decision {
  const { now } = context;
  const known = { work: { ...job.work, run }, head_sha: job.head_sha ?? head_sha, notice: null };
  if (run.status === "queued") return change(job, now, { set: known, effects: withoutNotice(job, now) });
  const begun: ActionsJob = {
    ...job,
    ...known,
    status: "accepted",
    accepted_at: now,
    deadline_at: now + job.time_limit_seconds * 1000,
    attempt_count: job.attempt_count + 1,
    woken_at: null,
  };
  const started = change(job, now, {
    set: begun,
    event: "accepted",
    note: run.url,
    effects: [...checkAtStart(begun, now), ...withoutNotice(job, now)],
  });
  if (run.status !== "completed") return started;
  const ended = endedRun(begun, context);
  return ended.kind === "decided" ? { ...ended, history: [...started.history, ...ended.history] } : ended;
}

function endedRun(job: ActionsJob, context: Context): Decision {
  const { now } = context;
  const { run } = job.work;
  switch (run?.conclusion) {
    case "cancelled":
      return failRun(job, now, "The workflow run was cancelled.");
    case "startup_failure":
      return failRun(job, now, RUN_COULD_NOT_START);
    case GONE:
      return failRun(job, now, "The workflow run was deleted.");
    case "action_required":
      return change(job, now, {
        set: {
          work: { ...job.work, run: { ...run, status: "in_progress" } },
          notice: "The workflow run waits for a person to approve it on GitHub.",
        },
        effects: showNow(job, now),
      });
    default:
      return workDone(job, context);
  }
}

/** Its result is read from the branch, unless the run has told it and its push is known. */
function workDone(job: ActionsJob, context: Context): Decision {
  const { result, round, attempt, work } = job;
  const { run, handed_in } = work;
  const ended = { set: { work } };
  const told = handed_in?.run_id === run?.id && handed_in?.attempt === run?.attempt ? handed_in : null;
  const head_sha = told?.clean_sha ?? null;
  if (result === null || head_sha === null)
    return change(job, context.now, { ...ended, effects: [atOnce({ type: "read-result", round, attempt })] });
  return andThen(change(job, context.now, ended), (next) =>
    resultRead(next, { type: "result-read", round, attempt, result, head_sha, clean: true }, context),
  );
}

/** What was handed in is known to be on the branch, or it is not. */
function handedIn(work: Work, { clean, head_sha }: Report<"result-read">): Work {
  if (work.kind !== "actions" || work.handed_in === null) return work;
  return { ...work, handed_in: { ...work.handed_in, clean_sha: clean === true ? head_sha : null } };
}

export function resultRead(job: Job, report: Report<"result-read">, { now }: Context): Decision {
  if (!isThisAttempt(job, report) || job.status !== "accepted") return unchanged;
  const { result } = report;
  const run = runOf(job);
  const set = {
    ...withResult(job, result, run),
    head_sha: report.head_sha,
    work: handedIn(job.work, report),
  };
  const read: Job = { ...job, ...set };
  const green = run?.conclusion === "success";
  if (!green || result.outcome === "failed" || result.outcome === "limit") {
    const why = result.reason ?? (result.body || `The workflow run ended with ${run?.conclusion ?? "no result"}.`);
    return failRun(read, now, why, { set }, "worker's", result.outcome === "failed" && Boolean(result.permanent_error));
  }
  const hasOwn = job.pull_request !== null && !isOnTheirs(job);
  // of a further round there is a pull request, which must lose the job's folder and be judged, whatever was said
  if (hasOwn || (result.outcome === "done" && result.changed_files.length > 0))
    return change(job, now, {
      set: {
        ...set,
        status: "submitted",
        submitted_at: now,
        failure: null,
        reasons: [],
        reviews: withAnswers(job, result),
      },
      event: "submitted",
      effects: [
        isOnTheirs(job) ? toTheirBranch(job) : atOnce({ type: "open-pull-request", round: job.round }),
        ...answerReviews(job, result),
      ],
    });
  return finishedWithout(read, now, set);
}

/** A deleted branch cancels only a job that has no pull request; after that it means nothing. */
export function branchDeleted(job: Job, { now }: Context): Decision {
  const isElsewhere = isOnTheirs(job) ? isOnTheirBranch(job) : job.pull_request !== null;
  if (isFinal(job.status) || isElsewhere || job.head_sha === null) return unchanged;
  if (job.status === "pending_payment") return unchanged;
  // somebody of the market works on it: only its end completes a cancel
  if (workerOf(job) !== null)
    return job.cancellation_requested ? unchanged : change(job, now, { set: { cancellation_requested: true } });
  return endUnpaid(job, now, "cancelled", {
    set: { work: retireRun(job.work) },
    note: "Its branch was deleted.",
    effects: cancelRun(job),
  });
}

/** Whoever asked for it has been told by now that it was not made: nothing of it may begin later. */
const missBranch = (job: Job, { now }: Context): Decision =>
  endUnpaid(job, now, "cancelled", {
    note: "Its branch did not get to GitHub in time.",
    effects: [atOnce({ type: "delete-branch" })],
  });

/** Five minutes without a run: say where to look (github-facts 1.6, 1.7). A whole day: it will not come any more. */
export function missStart(job: Job, context: Context): Decision {
  const { now } = context;
  if (job.head_sha === null) return missBranch(job, context);
  if (job.pushed_at !== null && now >= job.pushed_at + START_GIVEN_UP_MS) {
    const failure = "No workflow run has started within a day; look at the repository's Actions tab, then retry.";
    return endUnpaid(job, now, "failed", { set: { failure, notice: null }, note: failure });
  }
  const notice =
    "No workflow run has started for this job. Look at the repository's Actions tab: Actions may be disabled, a run may " +
    "wait for approval, or a rule may keep Journeyman from starting workflows.";
  const asked = atOnce({ type: "read-run", run_id: null } as const);
  return change(job, now, { set: { notice }, effects: [asked, showComment(now, "now")] });
}
