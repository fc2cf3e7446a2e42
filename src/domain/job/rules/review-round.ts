/**
 * Rules for reviews of a job's pull request: one that asks for changes opens one round, however many comments it has.
 * While a round is under way further ones wait and are taken up together.
 */
import type { Command } from "../command.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decision,
  refuse,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import { type AgentResult, isOnMarket, type Job } from "../job.ts";
import type { ReviewRef, Reviews } from "../review-schema.ts";
import { isReviewKnown, isReviewLimitReached, isUnderWay, MOST_REVIEWS, reviewersOf } from "../reviews.ts";
import { isOnTheirs } from "../target.ts";
import { reevaluate } from "./checking.ts";
import { conclude, endUnpaid } from "./end-attempt.ts";
import { nextRound, takeUpMessages, withEffects } from "./requesting.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

const eyes = (comment_id: Of<"review">["comment_id"]): WantedEffect =>
  atOnce({ type: "react", comment_id, content: "eyes" });

/** Nothing that it asks for can be done any more, or it is not for us to do. */
const isOver = (job: Job): boolean =>
  isOnMarket(job) ||
  isOnTheirs(job) ||
  job.pull_request === null ||
  job.archived_at !== null ||
  job.merged_at !== null ||
  job.status === "cancelled" ||
  job.cancellation_requested;

export function review(job: Job, command: Of<"review">, context: Context): Decision {
  const { review, comment_id } = command;
  if (!command.heeded || isOver(job) || isReviewKnown(job, review.id)) return unchanged;
  if (job.pull_request?.number !== command.pull_request) return unchanged;
  if (job.reviews.waiting.length >= MOST_REVIEWS)
    return refuse("invalid", "Too many reviews are waiting for this job; wait until it has taken them up.");
  const waiting = [...job.reviews.waiting, review];
  const known: Job = { ...job, reviews: { ...job.reviews, waiting } };
  if (!isUnderWay(job) && !isReviewLimitReached(job))
    return withEffects(beginReviewRound(known, context), [eyes(comment_id)]);
  return change(job, context.now, {
    set: { reviews: known.reviews },
    effects: [eyes(comment_id), showComment(context.now, isUnderWay(job) ? "soon" : "now")],
  });
}

const askedBy = (reviews: readonly ReviewRef[]): string => `Address the review of ${reviewersOf(reviews).join(", ")}.`;

/** Everything that waits, in one round. */
function beginReviewRound(job: Job, context: Context): Decision {
  const { waiting, rounds } = job.reviews;
  const reviews = { ...job.reviews, now: waiting, alone: true, waiting: [], rounds: rounds + 1 };
  return nextRound(job, askedBy(waiting), waiting.at(-1)?.by ?? null, context, reviews);
}

/** After a round: what has waited meanwhile is the next one, unless a person has to say so. */
export function takeUpWaiting(job: Job, context: Context): Decision {
  if (job.waiting_messages.length > 0) return takeUpMessages(job, context);
  if (job.reviews.waiting.length === 0 || isOver(job) || isReviewLimitReached(job)) return unchanged;
  return beginReviewRound(job, context);
}

/** Before its round it asks for nothing any more; a round that is under way goes on, and says so. */
export function reviewDismissed(job: Job, { review_id }: Of<"review-dismissed">, context: Context): Decision {
  const { now, waiting } = job.reviews;
  if (waiting.some(({ id }) => id === review_id))
    return change(job, context.now, {
      set: { reviews: { ...job.reviews, waiting: waiting.filter(({ id }) => id !== review_id) } },
      effects: [showComment(context.now, "soon")],
    });
  if (isUnderWay(job) && now.some(({ id, dismissed }) => id === review_id && !dismissed)) {
    const marked = now.map((one): ReviewRef => (one.id === review_id ? { ...one, dismissed: true } : one));
    const told = change(job, context.now, {
      set: { reviews: { ...job.reviews, now: marked } },
      effects: [showComment(context.now, "soon")],
    });
    // nothing is left to wait in line for
    const isOff = job.line !== null && job.reviews.alone && marked.every(({ dismissed }) => dismissed === true);
    return isOff
      ? andThen(told, (next) => reviewsWithdrawn(next, { type: "reviews-withdrawn", round: next.round }, context))
      : told;
  }
  return reevaluate(job, false, context);
}

const WITHDRAWN = "The review was dismissed or deleted before its round had begun.";

/** GitHub knows none of the reviews any more that alone have begun this round: it ends before anybody has worked. */
export function reviewsWithdrawn(job: Job, report: Of<"reviews-withdrawn">, { now }: Context): Decision {
  const { round, attempt, status, brief_sha, reviews } = job;
  const begun = status !== "queued" || brief_sha !== null || attempt !== 1;
  if (report.round !== round || !reviews.alone || begun) return unchanged;
  const set: Partial<Job> = { reviews: { ...reviews, now: [], alone: false, rounds: Math.max(0, reviews.rounds - 1) } };
  if (job.failure !== null) return endUnpaid(job, now, "failed", { set, note: WITHDRAWN });
  const back: Job = {
    ...job,
    ...set,
    status: "submitted",
    submitted_at: now,
    rounds: conclude(job, WITHDRAWN),
  };
  return change(job, now, {
    set: back,
    event: "submitted",
    note: WITHDRAWN,
    effects: [atOnce({ type: "open-pull-request", round }), ...showNow(back, now)],
  });
}

/** Its replies go out with its push, since the next round may begin before any check. */
export function answerReviews(job: Job, { replies = [] }: AgentResult): WantedEffect[] {
  const { round, attempt, reviews } = job;
  if (reviews.now.length === 0 || replies.length === 0) return [];
  const of = reviews.now.map(({ node_id }) => node_id);
  return [atOnce({ type: "answer-reviews", round, attempt, reviews: of, replies })];
}

const MOST_ANSWERED = 100;

/** What the work answers, with what earlier work has answered that has not passed either. */
export function withAnswers({ reviews }: Job, { outcome, replies = [] }: AgentResult): Reviews {
  if (reviews.now.length === 0) return reviews;
  const { answered } = reviews;
  const again = new Set(replies.map(({ id }) => id));
  const before = answered?.done.filter((id) => !again.has(id)) ?? [];
  const done = [...before, ...replies.flatMap((one) => (one.done ? [one.id] : []))];
  const of = new Set([...(answered?.reviews ?? []), ...reviews.now.map(({ node_id }) => node_id)]);
  const asks = outcome === "done" || outcome === "nothing_to_do" || answered?.asks === true;
  return {
    ...reviews,
    answered: { reviews: [...of].slice(-MOST_ANSWERED), done: done.slice(-MOST_ANSWERED), asks },
  };
}

/** The decision with what the reviewers were waiting for, where it says that the work is good. */
export function settleReviews(decision: Decision): Decision {
  if (decision.kind !== "decided") return decision;
  const { job } = decision;
  const { answered } = job.reviews;
  if (answered === null || job.status !== "verified" || job.pull_request === null) return decision;
  const { reviews, done, asks } = answered;
  return {
    ...decision,
    job: { ...job, reviews: { ...job.reviews, answered: null } },
    effects: [
      ...decision.effects,
      ...(done.length === 0 && !asks
        ? []
        : [atOnce({ type: "resolve-threads", round: job.round, reviews, done, asks } as const)]),
    ],
  };
}
