/** Queries on what reviews of a job's pull request have asked for, and how much of that there may be. */
import { isAtRest, type Job } from "./job.ts";
import type { ReviewRef, Reviews } from "./review-schema.ts";

/** How many rounds reviews alone may begin on one pull request. */
export const MOST_REVIEW_ROUNDS = 5;
/** The most reviews that wait, and so that one round takes up. */
export const MOST_REVIEWS = 10;

/** Somebody works on it, or is about to: what is asked for meanwhile waits. */
export const isUnderWay = ({ status }: Job): boolean => status !== "submitted" && !isAtRest(status);

/** Whether reviews alone may begin no further round on this pull request. */
export const isReviewLimitReached = ({ reviews }: Job): boolean => reviews.rounds >= MOST_REVIEW_ROUNDS;

/** Reviews that only a person's message takes up. */
export const heldReviews = (job: Job): readonly ReviewRef[] =>
  isReviewLimitReached(job) && !isUnderWay(job) ? job.reviews.waiting : [];

const isIn = (reviews: readonly ReviewRef[], id: number): boolean => reviews.some((one) => one.id === id);

/** The job has taken it up, or keeps it. */
export const isReviewKnown = ({ reviews }: Job, id: number): boolean =>
  isIn(reviews.now, id) || isIn(reviews.waiting, id);

/** The job takes it up without a further word; past the limit, what waits never is. */
export const isReviewAhead = (job: Job, id: number): boolean =>
  isReviewKnown(job, id) && !(isReviewLimitReached(job) && isIn(job.reviews.waiting, id));

/** Of a job that nobody may ask for anything any more. */
export const noneWaiting = ({ reviews }: Job): Reviews => ({ ...reviews, waiting: [] });

/** Another pull request than before: the rounds of that one do not count here. */
export const reviewsOnPullRequest = ({ reviews, pull_request }: Job, number: number): Reviews =>
  pull_request === null || pull_request.number === number ? reviews : { ...reviews, rounds: 0, answered: null };

/** Who has written them, each once. */
export const reviewersOf = (reviews: readonly ReviewRef[]): readonly string[] => [
  ...new Set(reviews.map(({ by }) => by ?? "a deleted account")),
];
