/**
 * The decision: what a command does to a job. Pure: no I/O, no clock, no randomness. docs/architecture.md has its
 * table; `rules/` holds the rows by family. No other code decides what follows from a command.
 */

import type { Command } from "./command.ts";
import type { CommentId } from "./comment-id.ts";
import { andThen, atOnce, type Context, change, type Decision, refuse, showComment, unchanged } from "./decision.ts";
import { isAtRest, isOnMarket, type Job } from "./job.ts";
import { nextTimerAt } from "./next-timer.ts";
import { effectAbandoned } from "./rules/abandoned.ts";
import { book } from "./rules/booking.ts";
import * as catchUp from "./rules/catch-up.ts";
import * as checking from "./rules/checking.ts";
import { expire, expired } from "./rules/expiry.ts";
import { begin, holdToLimits, limitsRead, lineMoved } from "./rules/line.ts";
import * as market from "./rules/market.ts";
import { requesterMentioned, tellRequester } from "./rules/mention.ts";
import * as opening from "./rules/opening.ts";
import * as queueing from "./rules/queueing.ts";
import * as reporting from "./rules/reporting.ts";
import * as asking from "./rules/requesting.ts";
import { review, reviewDismissed, reviewsWithdrawn, settleReviews, takeUpWaiting } from "./rules/review-round.ts";
import * as reviewing from "./rules/reviewing.ts";
import * as running from "./rules/running.ts";
import { settleDebts } from "./rules/taking.ts";
import { workNeedless, workPushed, workStopped } from "./rules/their-pull-request.ts";
import { keepTrack } from "./rules/tracking.ts";

/** Decides on one command. `job` null: there is none yet, and only `create` makes sense. */
export function decide(job: Job | null, command: Command, context: Context): Decision {
  if (job === null && command.type !== "create") return refuse("not_found", "There is no such job.");
  const tracked = keepTrack(job, command, decideAlone(job, command, context), context);
  const decision = settleReviews(tellRequester(job, command, tracked));
  return holdToLimits(job, command, book(job, command, decision, context), context);
}

/** What follows from the command itself. */
function decideAlone(job: Job | null, command: Command, context: Context): Decision {
  if (job === null) return command.type === "create" ? asking.create(command.draft, context) : unchanged;
  if (job.status === "pending_payment" && REPORTS.has(command.type)) return unchanged;
  const said = saidIn(command);
  if (said !== null && job.heard.includes(said)) return unchanged;
  const decision = remember(rule(job, command, context), said);
  const ended = decision.kind === "decided" && endsRound(job, decision.job);
  return ended ? andThen(decision, (next) => takeUpWaiting(next, context)) : decision;
}

/** What webhooks and effects report. A job that is not paid for has neither, so late ones of another life mean nothing. */
const REPORTS: ReadonlySet<Command["type"]> = new Set([
  "look",
  "run-changed",
  "ci-run-changed",
  "head-moved",
  "branch-deleted",
  "merged",
  "closed",
  "reopened",
  "auto-merge-disabled",
  "dequeued",
  "queue-tests",
  "enqueued",
  "hand-in",
  "progressed",
  "brief-pushed",
  "brief-refused",
  "limits-read",
  "result-read",
  "pull-request-opened",
  "pull-request-triaged",
  "nothing-to-open",
  "requester-mentioned",
  "work-pushed",
  "work-stopped",
  "work-needless",
  "files-shown",
  "files-delivered",
  "submission-refused",
  "observe",
  "judged",
  "update-refused",
  "base-deleted",
  "merge-refused",
  "review",
  "review-dismissed",
  "reviews-withdrawn",
  "effect-abandoned",
]);

/** The id of what somebody said, where it may come again. */
function saidIn(command: Command): number | string | null {
  switch (command.type) {
    case "message":
      return command.message_id ?? command.comment_id;
    case "pay":
      return command.payment_id ?? null;
    case "submit":
      return command.submission_id ?? null;
  }
  return "comment_id" in command && command.type !== "comment-synced" ? command.comment_id : null;
}

/** The most that a job remembers; an older one cannot come again, deliveries live three days. */
const MOST_HEARD = 100;

const remember = (decision: Decision, said: number | string | null): Decision =>
  decision.kind === "decided" && said !== null
    ? { ...decision, job: { ...decision.job, heard: [...decision.job.heard, said].slice(-MOST_HEARD) } }
    : decision;

const endsRound = (before: Job, after: Job): boolean =>
  before.status !== after.status && (after.status === "submitted" || isAtRest(after.status));

type Commands = { readonly [C in Command as C["type"]]: C };
type Rules = { readonly [T in keyof Commands]: (job: Job, command: Commands[T], context: Context) => Decision };

/** What each command does to a job that there is. */
const RULES: Rules = {
  create: () => refuse("invalid", "A job with this id exists."),
  pay: asking.pay,
  cancel: (job, command, context) => asking.cancel(job, command.by, context),
  discard: (job, command, context) => asking.discard(job, command.by, context),
  message: asking.message,
  retry: asking.retry,
  approve: reviewing.approve,
  "reject-work": reviewing.rejectWork,
  "run-checks": reviewing.runChecks,
  archive: (job, command, { now }) => asking.archive(job, command.by, now),
  begin: (job, _command, context) => begin(job, context),
  "line-moved": lineMoved,
  touched: () => unchanged,
  "limits-changed": (job, command, { now }) =>
    job.settings === null
      ? unchanged
      : change(job, now, { set: { settings: { ...job.settings, limits: command.limits } } }),
  settle: (job, _command, context) => settleDebts(job, context),
  moved: (job, command, { now }) => change(job, now, { set: { repository: command.repository } }),
  pull: market.pull,
  reject: (job, command, context) => market.reject(job, command.agent_id, context),
  accept: (job, command, context) => market.accept(job, command.agent_id, context),
  submit: market.submit,
  fail: market.fail,
  tick: (job, _command, context) => tick(job, context),
  look: (job, command, context) => checking.reevaluate(job, command.forced, context),
  turn: catchUp.turnCame,
  show: (job, command, context) => show(job, command.comment_id, context),
  review,
  "review-dismissed": reviewDismissed,
  "reviews-withdrawn": reviewsWithdrawn,
  "run-changed": running.runChanged,
  "ci-run-changed": checking.ciRunChanged,
  "head-moved": checking.headMoved,
  "hand-in": reporting.handIn,
  progressed: reporting.progressed,
  "branch-deleted": (job, _command, context) => running.branchDeleted(job, context),
  merged: checking.merged,
  closed: checking.closed,
  reopened: checking.reopened,
  "auto-merge-disabled": checking.autoMergeDisabled,
  dequeued: queueing.dequeued,
  "queue-tests": queueing.queueTests,
  enqueued: queueing.enqueued,
  "brief-pushed": running.briefPushed,
  "limits-read": limitsRead,
  "brief-refused": running.briefRefused,
  "comment-synced": (job, command, { now }) => change(job, now, { set: { comment: { id: command.comment_id } } }),
  "requester-mentioned": requesterMentioned,
  "check-synced": (job, command, { now }) =>
    change(job, now, { set: { check: { id: command.check_id, sha: command.sha } } }),
  "result-read": running.resultRead,
  "files-shown": reviewing.filesShown,
  "files-delivered": market.filesDelivered,
  "submission-refused": market.submissionRefused,
  "pull-request-opened": opening.pullRequestOpened,
  "pull-request-triaged": opening.pullRequestTriaged,
  expired,
  "nothing-to-open": opening.nothingToOpen,
  "work-pushed": workPushed,
  "work-stopped": workStopped,
  "work-needless": workNeedless,
  observe: (job, command, context) => checking.observe(job, command.facts, context),
  judged: reviewing.judged,
  "auto-merge-enabled": (job, _command, { now }) => change(job, now, { effects: [showComment(now, "now")] }),
  "update-refused": catchUp.updateRefused,
  "base-deleted": catchUp.baseDeleted,
  "merge-refused": checking.mergeRefused,
  "effect-abandoned": effectAbandoned,
};

function rule<T extends keyof Commands>(
  job: Job,
  command: Commands[T] & { readonly type: T },
  context: Context,
): Decision {
  return RULES[command.type](job, command, context);
}

/** Time has passed. What is due is done once; the mark keeps it from being due again. */
function tick(job: Job, context: Context): Decision {
  const due = nextTimerAt(job);
  if (due === null || due > context.now) return unchanged;
  const decision = overdue(job, context);
  const woken = decision.kind === "decided" ? decision : change(job, context.now, {});
  return woken.job.status === job.status ? { ...woken, job: { ...woken.job, woken_at: context.now } } : woken;
}

function overdue(job: Job, context: Context): Decision {
  switch (job.status) {
    case "pending_payment":
      return asking.endUnpaidOrder(job, context);
    case "held":
      return market.releaseHold(job, context);
    case "accepted":
      return isOnMarket(job) ? market.missDeadline(job, context) : running.missDeadline(job, context);
    case "queued":
      return job.line === null ? running.missStart(job, context) : begin(job, context);
    case "submitted":
      return checking.reevaluate(job, true, context);
    default:
      return expire(job, context);
  }
}

function show(job: Job, comment_id: CommentId | null, { now }: Context): Decision {
  const seen = comment_id === null ? [] : [atOnce({ type: "react", comment_id, content: "eyes" } as const)];
  return change(job, now, { effects: [...seen, showComment(now, "now")] });
}
