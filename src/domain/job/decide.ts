/**
 * The decision: what a command does to a job. Pure: no I/O, no clock, no randomness. docs/architecture.md has its
 * table; `rules/` holds the rows by family. Nothing else in the house says what follows from what.
 */

import type { Command } from "./command.ts";
import type { CommentId } from "./comment-id.ts";
import { andThen, atOnce, type Context, change, type Decision, refuse, showComment, unchanged } from "./decision.ts";
import { isFinal, isOnMarket, type Job } from "./job.ts";
import { nextTimerAt } from "./next-timer.ts";
import { effectAbandoned } from "./rules/abandoned.ts";
import * as checking from "./rules/checking.ts";
import * as market from "./rules/market.ts";
import * as opening from "./rules/opening.ts";
import * as reporting from "./rules/reporting.ts";
import * as asking from "./rules/requesting.ts";
import * as reviewing from "./rules/reviewing.ts";
import * as running from "./rules/running.ts";
import { settleDebts } from "./rules/taking.ts";

/** Decides on one command. `job` null: there is none yet, and only `create` makes sense. */
export function decide(job: Job | null, command: Command, context: Context): Decision {
  if (job === null)
    return command.type === "create"
      ? asking.create(command.draft, context)
      : refuse("not_found", "There is no such job.");
  if (job.status === "pending_payment" && REPORTS.has(command.type)) return unchanged;
  const said = saidIn(command);
  if (said !== null && job.heard.includes(said)) return unchanged;
  const decision = remember(rule(job, command, context), said);
  const ended = decision.kind === "decided" && endsRound(job, decision.job);
  return ended ? andThen(decision, (next) => asking.takeUpMessages(next, context)) : decision;
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
  "hand-in",
  "progressed",
  "brief-pushed",
  "brief-refused",
  "result-read",
  "pull-request-opened",
  "nothing-to-open",
  "files-shown",
  "files-delivered",
  "delivery-refused",
  "observe",
  "judged",
  "merge-refused",
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
  before.status !== after.status && (after.status === "submitted" || isFinal(after.status));

function rule(job: Job, command: Command, context: Context): Decision {
  const { now } = context;
  switch (command.type) {
    case "create":
      return refuse("invalid", "A job with this id exists.");
    case "pay":
      return asking.pay(job, command, context);
    case "cancel":
      return asking.cancel(job, command.by, context);
    case "discard":
      return asking.discard(job, command.by, context);
    case "message":
      return asking.message(job, command, context);
    case "retry":
      return asking.retry(job, command, context);
    case "approve":
      return reviewing.approve(job, command, context);
    case "reject-work":
      return reviewing.rejectWork(job, command, context);
    case "run-checks":
      return reviewing.runChecks(job, command, context);
    case "archive":
      return asking.archive(job, now);
    case "settle":
      return settleDebts(job, context);
    case "moved":
      return change(job, now, { set: { repository: command.repository } });
    case "pull":
      return market.pull(job, command, context);
    case "reject":
      return market.reject(job, command.agent_id, context);
    case "accept":
      return market.accept(job, command.agent_id, context);
    case "submit":
      return market.submit(job, command, context);
    case "fail":
      return market.fail(job, command, context);
    case "tick":
      return tick(job, context);
    case "look":
      return checking.reevaluate(job, command.forced, context);
    case "show":
      return show(job, command.comment_id, context);
    case "run-changed":
      return running.runChanged(job, command, context);
    case "ci-run-changed":
      return checking.ciRunChanged(job, command, context);
    case "head-moved":
      return checking.headMoved(job, command, context);
    case "hand-in":
      return reporting.handIn(job, command, context);
    case "progressed":
      return reporting.progressed(job, command, context);
    case "branch-deleted":
      return running.branchDeleted(job, context);
    case "merged":
      return checking.merged(job, command, context);
    case "closed":
      return checking.closed(job, command, context);
    case "reopened":
      return checking.reopened(job, command, context);
    case "auto-merge-disabled":
      return checking.autoMergeDisabled(job, command.by, context);
    case "brief-pushed":
      return running.briefPushed(job, command, context);
    case "brief-refused":
      return running.briefRefused(job, command, context);
    case "comment-synced":
      return change(job, now, { set: { comment: { id: command.comment_id } } });
    case "check-synced":
      return change(job, now, { set: { check: { id: command.check_id, sha: command.sha } } });
    case "result-read":
      return running.resultRead(job, command, context);
    case "files-shown":
      return reviewing.filesShown(job, command, context);
    case "files-delivered":
      return market.filesDelivered(job, command, context);
    case "delivery-refused":
      return market.deliveryRefused(job, command, context);
    case "pull-request-opened":
      return opening.pullRequestOpened(job, command, context);
    case "nothing-to-open":
      return opening.nothingToOpen(job, command, context);
    case "observe":
      return checking.observe(job, command.facts, context);
    case "judged":
      return reviewing.judged(job, command, context);
    case "auto-merge-enabled":
      return change(job, now, { effects: [showComment(now, "now")] });
    case "merge-refused":
      return checking.mergeRefused(job, command, context);
    case "effect-abandoned":
      return effectAbandoned(job, command, context);
    default:
      return command satisfies never;
  }
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
      return running.missStart(job, context);
    case "submitted":
      return checking.reevaluate(job, true, context);
    default:
      return unchanged;
  }
}

function show(job: Job, comment_id: CommentId | null, { now }: Context): Decision {
  const seen = comment_id === null ? [] : [atOnce({ type: "react", comment_id, content: "eyes" } as const)];
  return change(job, now, { effects: [...seen, showComment(now, "now")] });
}
