/**
 * Applies an account's quotas to every command, from any API or webhook. The store counts jobs and bytes, and keeps the
 * times of rounds and estimates across restarts.
 */
import { accountNamed } from "../domain/job/account.ts";
import type { Command } from "../domain/job/command.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import {
  beginsRound,
  countedAccount,
  DEFAULT_QUOTAS,
  isCounted,
  overJobs,
  overWorking,
  type QuotaLimits,
  tooManyBytes,
  tooManyQuotes,
  tooManyRounds,
} from "../domain/job/quotas.ts";
import { type Refusal, refusal } from "../domain/job/refusal.ts";
import { NO_MARKET } from "./comment-replies.ts";
import { accountGuard } from "./guards.ts";
import type { AttachmentStore } from "./ports/attachments.ts";
import type { Clock } from "./ports/clock.ts";
import type { Estimate, EstimateRequest, Estimator } from "./ports/estimates.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { UsageStore, Use } from "./ports/usage.ts";
import { DAY_MS, HOUR_MS, slidingLimit } from "./sliding-limit.ts";
import { createTurns } from "./turns.ts";

const ROOM_MS = 600_000;

const NO_ROOM: Refusal = {
  ...refusal("no_room", "The server has no room for more attachments and files; send less, or come again later."),
  retry_after_ms: ROOM_MS,
};

export interface Quotas {
  /** Runs the command's work; a courtesy: those that count for one account run one at a time, and so meet no conflicts. */
  inTurn<T>(command: Command, job: () => Promise<Job | null>, work: () => Promise<T>): Promise<T>;
  /** Why this decision exceeds a quota; null when it does not. */
  refusal(command: Command, before: Job | null, after: Job): Promise<Refusal | null>;
  /** What a decision about this command has to guard. */
  guards(command: Command, before: Job | null): readonly string[];
  /** What an accepted decision counts as, with its commit. */
  uses(command: Command, after: Job): readonly Use[];
  /** Why this account may not take another market job; null when it may. */
  worker(account: string): Promise<Refusal | null>;
  /** An estimate for this account; it counts whether or not it is ordered. */
  estimate(account: string, asked: EstimateRequest): Promise<Estimated>;
  /** Stores an attachment of the job for this account. */
  keep(job: JobId, account: string, text: string): Promise<Kept>;
}

export type Estimated =
  | { readonly ok: true; readonly estimate: Estimate }
  | { readonly ok: false; readonly refusal: Refusal };
export type Kept = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly refusal: Refusal };

interface QuotaParts {
  readonly jobs: Pick<JobStore, "usageOf">;
  readonly blobs: Pick<AttachmentStore, "put">;
  readonly usage: UsageStore;
  readonly clock: Pick<Clock, "now">;
  /** Null: no market. */
  readonly estimator: Estimator | null;
  readonly limits?: QuotaLimits | undefined;
}

export function createQuotas({ jobs, blobs, usage, clock, estimator, limits = DEFAULT_QUOTAS }: QuotaParts): Quotas {
  const { now } = clock;
  const rounds = slidingLimit(usage, now, { kind: "round", most: limits.rounds_per_day, ms: DAY_MS });
  const estimates = slidingLimit(usage, now, { kind: "estimate", most: limits.quotes_per_hour, ms: HOUR_MS });
  const inTurn = createTurns();

  const roundRefusal = async (command: Command, account: string): Promise<Refusal | null> => {
    const after_ms = beginsRound(command) ? await rounds.full(account) : null;
    return after_ms === null ? null : tooManyRounds(account, limits, after_ms);
  };

  return {
    async inTurn(command, job, work) {
      const account = isCounted(command) ? countedAccount(command, await job()) : null;
      return account === null ? work() : inTurn(accountNamed(account), work);
    },
    async refusal(command, before, after) {
      const counted = countedAccount(command, before);
      if (counted === null) return null;
      const account = accountNamed(counted);
      const usage = await jobs.usageOf(account);
      return overJobs(command, before, after, usage, limits, now()) ?? roundRefusal(command, account);
    },
    guards(command, before) {
      const account = countedAccount(command, before);
      return account === null ? [] : [accountGuard(account)];
    },
    uses: (command, after) => (beginsRound(command) ? [{ kind: "round", of: accountNamed(after.account) }] : []),
    async worker(account) {
      return overWorking(accountNamed(account), await jobs.usageOf(account), limits, now());
    },
    async estimate(named, asked) {
      const account = accountNamed(named);
      if (estimator === null) return { ok: false, refusal: refusal("repository_not_ready", NO_MARKET) };
      const after_ms = await estimates.take(account);
      if (after_ms !== null) return { ok: false, refusal: tooManyQuotes(account, limits, after_ms) };
      return { ok: true, estimate: await estimator.estimate(asked) };
    },
    async keep(job, named, text) {
      const account = accountNamed(named);
      const put = await blobs.put(job, text, { account, most: limits.kept_bytes });
      if (put === "full") return { ok: false, refusal: NO_ROOM };
      if (put === "too_much") return { ok: false, refusal: tooManyBytes(account, limits) };
      return { ok: true, name: put.name };
    },
  };
}
