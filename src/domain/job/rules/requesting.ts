/** Rules for requests of the sender: create, pay, cancel, discard, and further rounds by a message or a retry. */

import { counted } from "../../../text/plural.ts";
import { charge } from "../../market/ledger.ts";
import { accountNamed, isAccount } from "../account.ts";
import { NO_CATCH_UP } from "../catch-up.ts";
import type { Actor, Command, Draft } from "../command.ts";
import type { CommentId } from "../comment-id.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decided,
  type Decision,
  refuse,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import {
  branchOf,
  isAnsweredByComment,
  isAtRest,
  isFinal,
  isOnMarket,
  issueOf,
  type Job,
  marketWork,
  statusAt,
} from "../job.ts";
import { isUnpaidTooLong } from "../next-timer.ts";
import { deniedLimits } from "../raised-limits.ts";
import type { ReviewRef, Reviews } from "../review-schema.ts";
import { isReviewAhead, noneWaiting } from "../reviews.ts";
import { NEW_ACTIONS_WORK, NEW_JOB, NEW_MARKET_WORK, newAttempt } from "../schema.ts";
import { isOnTheirs, mergeAtFirst } from "../target.ts";
import { cancelRun, endUnpaid, MOST_ROUNDS, pushBrief, retireRun } from "./end-attempt.ts";
import { takeBack } from "./merge-order.ts";

const nameOf = (by: Actor): string | null => by.login ?? by.account;

/** The most messages that may wait for the next round. */
const MOST_WAITING = 10;

/** What a job has from the start that works on a person's pull request. */
function onTarget(draft: NonNullable<Draft["target"]>): Pick<Job, "target" | "pull_request" | "merge"> {
  const { url, ...asked } = draft;
  const at = { kind: "pull-request", ...asked, head_sha: null, pushed_sha: null, failing: null } as const;
  return { target: at, pull_request: { number: asked.number, url }, merge: mergeAtFirst({ target: at }) };
}

const newJob = (draft: Draft, now: number): Job => ({
  ...NEW_JOB,
  ...(draft.target === undefined ? {} : onTarget(draft.target)),
  id: draft.id,
  account: accountNamed(draft.account),
  repository: draft.repository,
  work: draft.runner === "market" ? { ...NEW_MARKET_WORK, ...draft.offer } : NEW_ACTIONS_WORK,
  origin: draft.origin,
  requester: draft.requester,
  title: draft.title,
  task: draft.task,
  undiscussed: draft.undiscussed ?? false,
  trigger_values: draft.trigger_values ?? [],
  discussed_until: null,
  choices: draft.choices,
  callback_url: draft.callback_url,
  price_cents: draft.price_cents,
  time_limit_seconds: draft.time_limit_seconds,
  over_budget: draft.over_budget ?? false,
  created_at: now,
  updated_at: now,
  rounds: [{ asked: draft.task, by: draft.requester, did: "" }],
  base: { branch: draft.base_branch, sha: null, is_default: draft.base_branch === null },
  branch: branchOf(draft.id),
});

const isOffered = (job: Job): boolean => isOnMarket(job) && issueOf(job.origin) !== null;

/** In a review, or on a line of a pull request, the job's comment would stand elsewhere: so the command gets a reaction. */
const nod = ({ origin }: Job): WantedEffect[] =>
  origin.kind === "comment" && !isAnsweredByComment(origin) ? seen(origin.comment_id) : [];

export function create(draft: Draft, { now, available_cents }: Context): Decision {
  const paid = draft.price_cents <= available_cents || draft.price_cents === 0;
  const job: Job = { ...newJob(draft, now), status: paid ? "queued" : "pending_payment" };
  return {
    kind: "decided",
    job,
    history: [
      { at: now, event: "created", from: null, to: job.status, by: draft.requester ?? draft.account, note: null },
    ],
    postings: paid ? charge(draft.account, draft.id, draft.price_cents) : [],
    // nothing is pushed for the market before somebody takes it, so this is where its comment begins
    effects: [
      ...nod(job),
      ...pushBrief(job),
      ...(isOffered(job) || isAnsweredByComment(job.origin) ? [showComment(now, "now")] : []),
    ],
  };
}

export function pay(job: Job, command: Extract<Command, { type: "pay" }>, { now, available_cents }: Context): Decision {
  if (!isAccount(command.account, job.account)) return refuse("forbidden", "Only the sender of a job can pay for it.");
  if (job.status !== "pending_payment")
    return refuse("wrong_status", `This job is ${job.status}; only a job in pending_payment can be paid.`);
  if (isUnpaidTooLong(job, now))
    return refuse("wrong_status", "This order was not paid within a day, so it is over; order again.");
  if (available_cents < job.price_cents)
    return refuse(
      "insufficient_balance",
      `The job costs ${counted(job.price_cents, "cent")} and the wallet holds ${available_cents}; top it up and pay again.`,
    );
  return change(job, now, {
    set: { status: "queued" },
    event: "queued",
    by: job.account,
    postings: charge(job.account, job.id, job.price_cents),
    effects: [...pushBrief(job), showComment(now, "now")],
  });
}

/** An order that was never paid keeps nothing for ever: it ends after a day, and what came with it goes. */
export function endUnpaidOrder(job: Job, { now }: Context): Decision {
  if (!isUnpaidTooLong(job, now)) return unchanged;
  return change(job, now, {
    set: { status: "cancelled", cancellation_requested: true },
    event: "cancelled",
    note: "It was not paid within a day.",
    effects: [showComment(now, "now")],
  });
}

/** A branch that carries nobody's work yet goes with the job. */
const dropBranch = (job: Job): WantedEffect[] =>
  job.head_sha !== null && (job.pull_request === null || isOnTheirs(job)) ? [atOnce({ type: "delete-branch" })] : [];

export function cancel(job: Job, by: Actor, { now }: Context): Decision {
  switch (statusAt(job, now)) {
    case "pending_payment":
      return change(job, now, {
        set: { status: "cancelled", cancellation_requested: true },
        event: "cancelled",
        by: nameOf(by),
        effects: [showComment(now, "now")],
      });
    case "queued":
    case "held":
      return endUnpaid(job, now, "cancelled", {
        by: nameOf(by),
        note: "Cancelled before it was begun.",
        effects: [...cancelRun(job), ...dropBranch(job)],
      });
    case "waiting_for_user":
      return endWaiting(job, by, now, "Cancelled while it waited for an answer.");
    case "accepted":
    case "submitted":
      if (job.cancellation_requested) return unchanged;
      return change(job, now, {
        set: { cancellation_requested: true, waiting_messages: [], reviews: noneWaiting(job) },
        effects: [...cancelRun(job), showComment(now, "now")],
      });
    case "verified":
      return keepUnmerged(job, by, now);
    default:
      return unchanged;
  }
}

/** The work is there and stays; only merging it is still to be stopped. */
function keepUnmerged(job: Job, by: Actor, now: number): Decision {
  if (job.merged_at !== null || job.merge.state === "off") return unchanged;
  const merge = { state: "off", why: `${nameOf(by) ?? "somebody"} has cancelled it` } as const;
  return change(job, now, { set: { merge }, effects: [...takeBack(job), ...showNow(job, now)] });
}

/** Nothing is under way. A branch that holds work beside the question is kept. */
const endWaiting = (job: Job, by: Actor | undefined, now: number, note: string): Decided =>
  endUnpaid(job, now, "cancelled", {
    by: by === undefined ? null : nameOf(by),
    note,
    effects: (job.result?.changed_files.length ?? 0) === 0 ? dropBranch(job) : [],
  });

const DISCARDED = "it was discarded";

/** Cancel and clear away: what the Discard button and a failed REST create ask for. */
export function discard(job: Job, by: Actor, context: Context): Decision {
  if (job.merged_at !== null)
    return refuse("already_merged", "The pull request is merged; revert it on GitHub instead.");
  if (isOnMarket(job) && (job.status === "accepted" || job.status === "submitted")) return cancel(job, by, context);
  if (job.merge.state === "off" && job.merge.why === DISCARDED) return unchanged;
  const clear: WantedEffect[] = [
    ...cancelRun(job),
    ...(job.pull_request === null || isOnTheirs(job) ? [] : [atOnce({ type: "close-pull-request" })]),
    atOnce({ type: "delete-branch" }),
  ];
  if (job.status === "pending_payment") return cancel(job, by, context);
  if (!isFinal(job.status))
    return endUnpaid(job, context.now, "cancelled", { by: nameOf(by), note: DISCARDED, effects: clear });
  const set = { merge: { state: "off", why: DISCARDED } } as const;
  return change(job, context.now, { set, effects: [...clear, ...showNow(job, context.now)] });
}

/** Not about any review. */
const noReviews = ({ reviews }: Job): Reviews => ({ ...reviews, now: [], alone: false });
const heldTurn = ({ catch_up: { turn } }: Job) => (turn?.taken_at == null ? null : turn);

/** Opens the next round on the same branch and pull request; a price that has left the escrow is charged again. */
export function nextRound(
  job: Job,
  asked: string,
  by: string | null,
  { now, available_cents }: Context,
  reviews: Reviews = noReviews(job),
): Decision {
  const chargeAgain = isFinal(job.status);
  if (chargeAgain && (marketWork(job)?.enclosure ?? null) !== null)
    return refuse("wrong_status", "What came with this job is deleted, since it was over; order a new one.");
  if (chargeAgain && available_cents < job.price_cents)
    return refuse(
      "insufficient_balance",
      `Another round costs ${counted(job.price_cents, "cent")} and the wallet holds ${available_cents}; top it up and ask again.`,
    );
  const next: Job = {
    ...job,
    ...newAttempt(retireRun(job.work)),
    status: "queued",
    attempt_count: 0,
    attempt: 1,
    round: job.round + 1,
    rounds: [...job.rounds, { asked, by, did: "" }].slice(-MOST_ROUNDS),
    reviews,
    cancellation_requested: false,
    merge: mergeAtFirst(job),
    merge_queue: NEW_JOB.merge_queue,
    // whoever holds up others goes on doing so
    catch_up: { ...NO_CATCH_UP, conflicts: job.catch_up.conflicts, turn: heldTurn(job) },
    reasons: [],
    notice: null,
  };
  return change(job, now, {
    set: next,
    event: "queued",
    by,
    note: `Round ${next.round}`,
    postings: chargeAgain ? charge(job.account, job.id, job.price_cents) : [],
    effects: [...takeBack(job), ...pushBrief(next), showComment(now, "now")],
  });
}

const seen = (comment_id: CommentId | null): WantedEffect[] =>
  comment_id === null ? [] : [atOnce({ type: "react", comment_id, content: "eyes" })];

export const withEffects = (decision: Decision, effects: readonly WantedEffect[]): Decision =>
  decision.kind === "decided" ? { ...decision, effects: [...effects, ...decision.effects] } : decision;

/** A task of the market is fixed while somebody may work on it, and who orders more of it pays; null: that is not so. */
function fixedTask(job: Job, by: Actor): Decision | null {
  if (!isOnMarket(job)) return null;
  if (!isFinal(job.status))
    return refuse("wrong_status", "The task of a market job is fixed; cancel it, or ask for more when it is over.");
  if (isAccount(by.account, job.account)) return null;
  return refuse("forbidden", `Another round costs its price again, so ${job.account} alone can ask for it.`);
}

/** A message's round is about the review that it stands in, and about all that wait. */
const aboutReviews = ({ reviews }: Job, own: ReviewRef | undefined): Reviews => ({
  ...reviews,
  now: own === undefined ? reviews.waiting : [...reviews.waiting.filter(({ id }) => id !== own.id), own],
  alone: false,
  waiting: [],
});

/** It waits with the message that it came with. */
const withReview = ({ reviews }: Job, own: ReviewRef | undefined): Reviews =>
  own === undefined || reviews.waiting.some(({ id }) => id === own.id)
    ? reviews
    : { ...reviews, waiting: [...reviews.waiting, own] };

export function message(job: Job, command: Extract<Command, { type: "message" }>, context: Context): Decision {
  if (job.archived_at !== null) return refuse("already_archived", "This job is archived; create a new one.");
  if (job.merged_at !== null)
    return refuse("already_merged", "The pull request of this job is merged; ask for a new job with /job on an issue.");
  if (job.status === "cancelled") return refuse("wrong_status", "This job was cancelled; create a new one.");
  const fixed = fixedTask(job, command.by);
  if (fixed !== null) return fixed;
  if (command.review !== undefined && isReviewAhead(job, command.review.id))
    return change(job, context.now, { effects: seen(command.comment_id) });
  const by = nameOf(command.by);
  if (job.status === "submitted" || isAtRest(job.status))
    return withEffects(
      nextRound(job, command.text, by, context, aboutReviews(job, command.review)),
      seen(command.comment_id),
    );
  if (job.cancellation_requested)
    return refuse("wrong_status", "This job is being cancelled; ask again when it is over, or create a new one.");
  if (job.waiting_messages.length >= MOST_WAITING)
    return refuse("invalid", "Too many messages are waiting for this job; wait until it has taken them up.");
  return change(job, context.now, {
    set: {
      waiting_messages: [...job.waiting_messages, { text: command.text, by }],
      reviews: withReview(job, command.review),
    },
    effects: [...seen(command.comment_id), showComment(context.now, "soon")],
  });
}

/** Null: it may go beyond the repository's budget, or was not asked to. */
const deniedOverBudget = ({ over_budget, by_admin }: Extract<Command, { type: "retry" }>): Decision | null =>
  over_budget !== true || by_admin === true
    ? null
    : refuse(
        "forbidden",
        "Only somebody who administers this repository may go beyond its budget with `--over-budget`. Ask one of them, or " +
          "raise `budget` in `.github/journeyman.yml`; `/job retry` alone waits for what is left.",
      );

/** It would begin if the repository's budget had more. */
const waitsForBudget = ({ line }: Job): boolean => line?.limit === "day_cents" || line?.limit === "month_cents";

const beginOverBudget = (job: Job, by: Actor, { now }: Context): Decision => {
  const next: Job = { ...job, line: null, over_budget: true };
  return change(job, now, { set: next, event: "begins", by: nameOf(by), effects: pushBrief(next) });
};

export function retry(job: Job, command: Extract<Command, { type: "retry" }>, context: Context): Decision {
  if (job.archived_at !== null) return refuse("already_archived", "This job is archived; create a new one.");
  if (job.merged_at !== null)
    return refuse("already_merged", "The pull request of this job is merged; nothing is left to retry.");
  if (job.status === "waiting_for_user")
    return refuse("wrong_status", "This job waits for an answer: reply with `/job <answer>`, and it goes on.");
  if (command.over_budget === true && waitsForBudget(job))
    return (
      deniedOverBudget(command) ?? withEffects(beginOverBudget(job, command.by, context), seen(command.comment_id))
    );
  if (job.status !== "failed")
    return refuse("wrong_status", `This job is ${statusAt(job, context.now)}; only a failed job can be retried.`);
  const fixed = fixedTask(job, command.by);
  if (fixed !== null) return fixed;
  const denied = deniedOverBudget(command) ?? deniedLimits(job, command);
  if (denied !== null) return denied;
  const asked = job.rounds.at(-1)?.asked ?? job.task;
  const reviews = { ...job.reviews, alone: false };
  return withEffects(nextRound(job, asked, nameOf(command.by), context, reviews), seen(command.comment_id));
}

/** Takes up what was asked while the last round was under way; the decision stands as it is when nothing was. */
export function takeUpMessages(job: Job, context: Context): Decision {
  if (job.waiting_messages.length === 0 || job.merged_at !== null || job.status === "cancelled") return unchanged;
  const text = job.waiting_messages.map((waiting) => waiting.text).join("\n\n");
  const by = job.waiting_messages.at(-1)?.by ?? null;
  return nextRound({ ...job, waiting_messages: [] }, text, by, context, aboutReviews(job, undefined));
}

export function archive(job: Job, by: Actor | undefined, now: number): Decision {
  if (job.archived_at !== null) return unchanged;
  if (job.status === "waiting_for_user")
    return andThen(endWaiting(job, by, now, "Archived while it waited for an answer."), (next) =>
      archive(next, by, now),
    );
  if (!isFinal(job.status))
    return refuse("wrong_status", `This job is ${job.status}; cancel it or wait for its end before archiving it.`);
  return change(job, now, { set: { archived_at: now }, event: "archived" });
}
