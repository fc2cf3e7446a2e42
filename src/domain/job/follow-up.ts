/**
 * Whose work a further `/job` is for: an issue has one job at a time, which takes what is asked for there, unless another
 * one is wanted by name. Pure.
 */
import { isFinal, isOnMarket, type Job } from "./job.ts";
import { isOnTheirs } from "./target.ts";

/** `in_review`: as long as its pull request is open, which GitHub knows. */
export type Standing = "asks" | "under_way" | "on_market" | "in_review";

/** How the job stands to a further request of its issue; null: it is past those. */
export function standingOf(job: Job): Standing | null {
  const { status, archived_at, merged_at, cancellation_requested, result, pull_request } = job;
  if (archived_at !== null || merged_at !== null || status === "cancelled") return null;
  // earlier versions ended a job that asks
  const asks = status === "waiting_for_user" || (status === "verified" && result?.outcome === "question");
  if (asks && !isOnMarket(job)) return "asks";
  if (!isFinal(status)) {
    if (cancellation_requested) return null;
    return isOnMarket(job) ? "on_market" : "under_way";
  }
  // a person's pull request is free for the next job
  if (isOnTheirs(job)) return null;
  // another round of a market job costs its price again, which nobody pays by a comment on an issue
  return pull_request === null || isOnMarket(job) ? null : "in_review";
}

/** The jobs that may take it, the likeliest first: one that asks, then the newest. */
export const likeliest = (jobs: readonly Job[]): readonly Job[] =>
  jobs
    .filter((job) => standingOf(job) !== null)
    .toSorted(
      (a, b) =>
        Number(standingOf(b) === "asks") - Number(standingOf(a) === "asks") ||
        b.created_at - a.created_at ||
        (a.id < b.id ? 1 : -1),
    );
