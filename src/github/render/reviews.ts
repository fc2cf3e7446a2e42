/** Renders what reviews have asked of a job: what its round is about, what waits, and when a person must say so. */
import type { Job } from "../../domain/job/job.ts";
import type { ReviewRef } from "../../domain/job/review-schema.ts";
import { heldReviews, isUnderWay, MOST_REVIEW_ROUNDS, reviewersOf } from "../../domain/job/reviews.ts";
import { counted } from "../../text/plural.ts";
import { code } from "./plain.ts";

const named = (reviews: readonly ReviewRef[]): string =>
  `${counted(reviews.length, "review")} by ${reviewersOf(reviews)
    .map((name) => code(name))
    .join(", ")}`;

const some = (reviews: readonly ReviewRef[], say: (named: string) => string): string[] =>
  reviews.length === 0 ? [] : [say(named(reviews))];

/** Why reviewers hear nothing more of what was answered. */
function stillOpen({ status, merged_at, reviews: { answered } }: Job): string[] {
  if (answered === null || merged_at !== null) return [];
  if (status === "submitted")
    return [
      "Once its checks have passed, the review's threads that are done are resolved, and the reviewer is asked again.",
    ];
  return status === "failed"
    ? ["The review's threads stay open and nobody is asked to look again, since the work did not pass."]
    : [];
}

/** Sentences for comment and check. */
export function aboutReviews(job: Job): readonly string[] {
  const { now, waiting } = job.reviews;
  const held = some(
    heldReviews(job),
    (reviews) =>
      `**Reviews have begun ${MOST_REVIEW_ROUNDS} rounds on this pull request, which is the most.** Waiting for a person: ${reviews}. ` +
      "`/job <text>` on the pull request begins a round with that, and says what is still to do.",
  );
  if (!isUnderWay(job)) return [...held, ...stillOpen(job)];
  return [
    ...some(now, (reviews) => `This round is about ${reviews}.`),
    ...some(
      now.filter((one) => one.dismissed),
      (reviews) => `Dismissed meanwhile: ${reviews}. The round goes on all the same.`,
    ),
    ...some(waiting, (reviews) => `Waiting for the next round: ${reviews}.`),
  ];
}
