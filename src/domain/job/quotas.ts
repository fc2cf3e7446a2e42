/**
 * The quotas of one account, so that no tenant uses up the disk, the queue or the model of the others. Decides alone;
 * the engine counts and calls it.
 */

import { counted } from "../../text/plural.ts";
import { inDebt, type Owing } from "../market/debt.ts";
import type { Command } from "./command.ts";
import { holdOf, isAtRest, isOnActions, isOnMarket, type Job, workerOf } from "./job.ts";
import { type Refusal, refusal } from "./refusal.ts";

export interface QuotaLimits {
  /** Bytes of attachments, files and secrets that are kept beside jobs. */
  readonly kept_bytes: number;
  /** Jobs that were given to the market and are not over, paid or not. */
  readonly open_orders: number;
  /** Jobs of the repositories' own runners that are not over. */
  readonly jobs_under_way: number;
  /** Estimates: each may spend the server's model. */
  readonly quotes_per_hour: number;
  /** Rounds of work that are asked for: new jobs, messages and retries. */
  readonly rounds_per_day: number;
  /** Jobs of the market that a worker without any paid work may have at once; one more for each that was paid. */
  readonly accepted_jobs: number;
}

const MB = 1024 * 1024;

export const DEFAULT_QUOTAS: QuotaLimits = {
  kept_bytes: 256 * MB,
  open_orders: 100,
  jobs_under_way: 100,
  quotes_per_hour: 60,
  rounds_per_day: 1_000,
  accepted_jobs: 3,
};

/** However much paid work a worker has done. */
export const MOST_ACCEPTED_JOBS = 30;

/** An attempt that came to nothing keeps its place for so long: whoever fails jobs for nothing gets few of them. */
export const GIVEN_UP_MS = 24 * 3_600_000;

/** What an account has now; counted by the store. */
export interface AccountUsage extends Owing {
  readonly open_orders: number;
  readonly jobs_under_way: number;
  /** Jobs of the market that it has accepted and that are not decided. */
  readonly working: number;
  /** When attempts of its ended without pay, by its own doing. */
  readonly given_up_at: readonly number[];
  /** Jobs of the market that it was paid for. */
  readonly paid_jobs: number;
}

const overQuota = (sentence: string): Refusal => refusal("over_quota", sentence);

/** The account would owe more: a price is to be paid, or an order made that waits for it. */
const isOrder = ({ type }: Command, job: Job): boolean => isOnMarket(job) && job.price_cents > 0 && type !== "accept";

/** A job that waits for an answer takes nobody's place: the answer asks for one again. */
const isOver = (job: Job | null): boolean => job === null || isAtRest(job.status);

/** The sender's: what would be under way with this job is more than their account may have. */
function overSending(before: Job | null, after: Job, usage: AccountUsage, limits: QuotaLimits): Refusal | null {
  if (!isOver(before) || isOver(after)) return null;
  const { open_orders, jobs_under_way } = limits;
  if (isOnMarket(after) && usage.open_orders >= open_orders)
    return overQuota(
      `${after.account} has ${counted(usage.open_orders, "order", "orders")} on the market that are not over, and ${open_orders} at once are allowed; wait until one is over, or cancel one.`,
    );
  if (isOnActions(after) && usage.jobs_under_way >= jobs_under_way)
    return overQuota(
      `${after.account} has ${counted(usage.jobs_under_way, "job", "jobs")} under way, and ${jobs_under_way} at once are allowed; wait until one is over, or cancel one.`,
    );
  return null;
}

/** How many jobs of the market this worker may have at once. */
export const placesOf = ({ paid_jobs }: AccountUsage, { accepted_jobs }: QuotaLimits): number =>
  Math.max(accepted_jobs, Math.min(MOST_ACCEPTED_JOBS, accepted_jobs + paid_jobs));

/** The worker's; null: another job may be accepted. */
export function overWorking(account: string, usage: AccountUsage, limits: QuotaLimits, now: number): Refusal | null {
  const lost = usage.given_up_at.filter((at) => now - at < GIVEN_UP_MS);
  const places = placesOf(usage, limits);
  if (usage.working + lost.length < places) return null;
  const failed =
    lost.length === 0 ? "" : `, and ${counted(lost.length, "attempt")} of its came to nothing within a day`;
  const next =
    usage.working > 0
      ? "finish one first"
      : `come again from ${new Date(Math.min(...lost) + GIVEN_UP_MS).toISOString().slice(0, 16)}Z on`;
  return overQuota(
    `${account} works on ${counted(usage.working, "job", "jobs")}${failed}; ${places} at once are allowed, one more for each job that is paid: ${next}.`,
  );
}

const COUNTED: readonly Command["type"][] = ["create", "message", "review", "retry", "pay", "accept"];

/** Commands that ask for work or take it; all others pass. */
export const isCounted = ({ type }: Command): boolean => COUNTED.includes(type);

/** Whose quotas this command may touch: the account whose jobs must be counted. Null: nobody's. */
export function countedAccount(command: Command, job: Job | null): string | null {
  switch (command.type) {
    case "create":
      return command.draft.account;
    case "message":
    case "review":
    case "retry":
    case "pay":
      return job?.account ?? null;
    case "accept":
      return (job === null ? null : holdOf(job)?.account) ?? null;
    default:
      return null;
  }
}

/** A round of work is asked for. */
export const beginsRound = ({ type }: Command): boolean => ["create", "message", "review", "retry"].includes(type);

/** What this decision would make of a job is more than the account may have; null: it is not. */
export const overJobs = (
  command: Command,
  before: Job | null,
  after: Job,
  usage: AccountUsage,
  limits: QuotaLimits,
  now: number,
): Refusal | null =>
  command.type === "accept"
    ? overWorking(workerOf(after)?.account ?? "", usage, limits, now)
    : ((isOrder(command, after) ? inDebt(after.account, usage) : null) ?? overSending(before, after, usage, limits));

export const tooManyRounds = (account: string, { rounds_per_day }: QuotaLimits, retry_after_ms: number): Refusal => ({
  ...refusal(
    "rate_limited",
    `${account} has asked for ${counted(rounds_per_day, "round", "rounds")} of work within a day, which is the most; ask again later.`,
  ),
  retry_after_ms,
});

export const tooManyQuotes = (account: string, { quotes_per_hour }: QuotaLimits, retry_after_ms: number): Refusal => ({
  ...refusal(
    "rate_limited",
    `${account} has asked for ${counted(quotes_per_hour, "estimate", "estimates")} within an hour, which is the most; ask again later, or order at one that you were shown.`,
  ),
  retry_after_ms,
});

export const tooManyBytes = (account: string, { kept_bytes }: QuotaLimits): Refusal =>
  overQuota(
    `What is kept for ${account} would be more than ${Math.floor(kept_bytes / MB)} MB; send less, or wait until a job that holds some of it is over.`,
  );
