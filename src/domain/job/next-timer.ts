/**
 * Computes when a timer must wake a job. The rules compare times when they are read, so a late timer only delays
 * clean-up and messages.
 */
import { type Expiry, holdOf, isOnActions, isOnMarket, type Job, runOf } from "./job.ts";

/** How long a caller may wait for the branch; a job that has none by then is taken back. */
export const BRANCH_LIMIT_MS = 15_000;

/** A pushed brief should start a run within this; else the comment says where to look (github-facts 1.6). */
export const START_LIMIT_MS = 5 * 60_000;

/** No run in a whole day: GitHub itself gives up on jobs that wait that long for a runner. */
export const START_GIVEN_UP_MS = 24 * 3_600_000;

/** A pull request that nothing checks is finished work after this, though it never merges by itself. */
export const NO_CHECKS_LIMIT_MS = 30 * 60_000;

/** After this, work that checks and judge leave to the sender counts as approved. */
export const SENDER_LIMIT_MS = 72 * 3_600_000;
/** But not sooner after it was left to them: checks may have taken most of that time. */
export const SENDER_NOTICE_MS = 24 * 3_600_000;

/** An order that nobody pays is over after this. */
export const UNPAID_LIMIT_MS = 24 * 3_600_000;

/** So long before a pull request is closed its job says so, or half of the time if that is less. */
export const EXPIRY_WARNING_MS = 3 * 24 * 3_600_000;

export const expiryWarningMs = ({ at, seen_at }: Expiry): number => Math.min(EXPIRY_WARNING_MS, (at - seen_at) / 2);

const expiryDue = (expiry: Expiry): number =>
  expiry.warned_at === null ? expiry.at - expiryWarningMs(expiry) : expiry.at;

/** All that says when a job wakes: a store may know this of a job without opening it. */
export type DueTimer = Pick<
  Job,
  "status" | "created_at" | "work" | "deadline_at" | "pushed_at" | "submitted_at" | "woken_at" | "origin" | "head_sha"
> &
  Pick<Job, "expiry" | "line">;

/** When silence of the sender counts as a yes. */
export const silentUntil = (sender_asked_at: number | null, submitted_at: number): number =>
  Math.max(submitted_at + SENDER_LIMIT_MS, (sender_asked_at ?? 0) + SENDER_NOTICE_MS);

/** Its caller waits for its branch, which never was there. */
export const isAwaited = ({ origin, head_sha }: DueTimer): boolean =>
  origin.kind === "rest" && origin.awaits_branch === true && head_sha === null;

const due = (job: DueTimer): number | null => {
  switch (job.status) {
    case "pending_payment":
      return job.created_at + UNPAID_LIMIT_MS;
    case "held":
      return holdOf(job)?.expires_at ?? null;
    case "accepted":
      // a run that is over is late no more; what it left is being read
      return runOf(job)?.status === "completed" ? null : job.deadline_at;
    case "queued": {
      if (isAwaited(job)) return job.created_at + BRANCH_LIMIT_MS;
      if (job.line !== null) return job.line.until ?? null;
      if (!isOnActions(job) || job.pushed_at === null || job.work.run !== null) return null;
      const first = job.pushed_at + START_LIMIT_MS;
      return job.woken_at === null || job.woken_at < first ? first : job.pushed_at + START_GIVEN_UP_MS;
    }
    case "submitted": {
      if (job.submitted_at === null) return null;
      const first = job.submitted_at + NO_CHECKS_LIMIT_MS;
      const seen = job.woken_at !== null && job.woken_at >= first;
      return isOnMarket(job) && seen ? silentUntil(job.work.sender_asked_at, job.submitted_at) : first;
    }
    default:
      return job.expiry === null ? null : expiryDue(job.expiry);
  }
};

/** Exact, whether or not a timer has come by. */
export const isUnpaidTooLong = ({ status, created_at }: Pick<Job, "status" | "created_at">, now: number): boolean =>
  status === "pending_payment" && now >= created_at + UNPAID_LIMIT_MS;

/** Milliseconds since the epoch; null: nothing is due that a wake-up has not seen already. */
export function nextTimerAt(job: DueTimer): number | null {
  const at = due(job);
  return at === null || (job.woken_at !== null && job.woken_at >= at) ? null : at;
}
