/**
 * Applies the quotas of an account to every command, whichever API or webhook it comes from. The store counts jobs and
 * bytes; what is counted over time is kept in memory and starts at zero with the process.
 */
import { LRUCache } from "lru-cache";
import pLimit, { type LimitFunction } from "p-limit";
import { accountNamed } from "../domain/job/account.ts";
import type { Command } from "../domain/job/command.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import {
  countedAccount,
  DEFAULT_QUOTAS,
  isCounted,
  isTurn,
  overJobs,
  overWorking,
  type QuotaLimits,
  tooManyBytes,
  tooManyQuotes,
  tooManyTurns,
} from "../domain/job/quotas.ts";
import { type Refusal, refusal } from "../domain/job/refusal.ts";
import { NO_MARKET } from "./comment-replies.ts";
import type { AttachmentStore } from "./ports/attachments.ts";
import type { Clock } from "./ports/clock.ts";
import type { Estimate, EstimateRequest, Estimator } from "./ports/estimates.ts";
import type { JobStore } from "./ports/jobs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Accounts whose turns and estimates are counted at once; the one that was quiet the longest is forgotten first. */
const MAX_COUNTED = 10_000;
const ROOM_MS = 600_000;

const NO_ROOM: Refusal = {
  ...refusal("no_room", "The server has no room for more attachments and files; send less, or come again later."),
  retry_after_ms: ROOM_MS,
};

export interface Quotas {
  /** Runs what this command does, one at a time for each account that it counts for, so that none comes between. */
  inTurn<T>(command: Command, job: () => Promise<Job | null>, work: () => Promise<T>): Promise<T>;
  /** Why this decision may not stand; null: it may. */
  refusal(command: Command, before: Job | null, after: Job): Promise<Refusal | null>;
  /** It stands, and counts. */
  counted(command: Command, after: Job): void;
  /** Why this account may not take another job of the market; null: it may. */
  worker(account: string): Promise<Refusal | null>;
  /** An estimate for this account; counts whether or not it is ordered at. */
  estimate(account: string, asked: EstimateRequest): Promise<Estimated>;
  /** Keeps this text beside the job, for this account. */
  keep(job: JobId, account: string, text: string): Promise<Kept>;
}

export type Estimated =
  | { readonly ok: true; readonly estimate: Estimate }
  | { readonly ok: false; readonly refusal: Refusal };
export type Kept = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly refusal: Refusal };

interface QuotaParts {
  readonly jobs: Pick<JobStore, "tallyOf">;
  readonly parcels: Pick<AttachmentStore, "put">;
  readonly clock: Pick<Clock, "now">;
  /** Null: there is no market here. */
  readonly estimator: Estimator | null;
  readonly limits?: QuotaLimits | undefined;
}

/** Times in their order; those before `from` are over. */
interface Times {
  readonly at: number[];
  from: number;
}

/** What each account did within a while. Costs the same however much that is. */
function createWindow(ms: number, most: number, now: () => number) {
  // `max` would allocate room for all of them at once
  const accounts = new LRUCache<string, Times>({ maxSize: MAX_COUNTED, sizeCalculation: () => 1 });
  const recent = (account: string): Times => {
    const times = accounts.get(account) ?? { at: [], from: 0 };
    while (times.from < times.at.length && now() - (times.at[times.from] ?? 0) >= ms) times.from++;
    // cleared away in large pieces, since each moves all that follows
    if (times.from > times.at.length / 2) {
      times.at.splice(0, times.from);
      times.from = 0;
    }
    return times;
  };
  return {
    /** In how many milliseconds there is room again; null: there is. */
    full(account: string): number | null {
      const { at, from } = recent(account);
      const oldest = at.length - from < most ? undefined : at[at.length - most];
      return oldest === undefined ? null : oldest + ms - now();
    },
    add(account: string): void {
      const times = recent(account);
      times.at.push(now());
      accounts.set(account, times);
    },
  };
}

/** One command at a time for each account. */
function createAccountQueues() {
  const queues = new Map<string, LimitFunction>();
  return async <T>(account: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(account) ?? pLimit(1);
    queues.set(account, queue);
    try {
      return await queue(work);
    } finally {
      if (queue.activeCount + queue.pendingCount === 0) queues.delete(account);
    }
  };
}

export function createQuotas({ jobs, parcels, clock, estimator, limits = DEFAULT_QUOTAS }: QuotaParts): Quotas {
  const { now } = clock;
  const turns = createWindow(DAY_MS, limits.turns_per_day, now);
  const quotes = createWindow(HOUR_MS, limits.quotes_per_hour, now);
  const inTurn = createAccountQueues();

  const turnRefusal = (command: Command, account: string): Refusal | null => {
    const after_ms = isTurn(command) ? turns.full(account) : null;
    return after_ms === null ? null : tooManyTurns(account, limits, after_ms);
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
      const tally = await jobs.tallyOf(account);
      return overJobs(command, before, after, tally, limits, now()) ?? turnRefusal(command, account);
    },
    counted(command, after) {
      if (isTurn(command)) turns.add(accountNamed(after.account));
    },
    async worker(account) {
      return overWorking(accountNamed(account), await jobs.tallyOf(account), limits, now());
    },
    async estimate(named, asked) {
      const account = accountNamed(named);
      if (estimator === null) return { ok: false, refusal: refusal("repository_not_ready", NO_MARKET) };
      const after_ms = quotes.full(account);
      if (after_ms !== null) return { ok: false, refusal: tooManyQuotes(account, limits, after_ms) };
      quotes.add(account);
      return { ok: true, estimate: await estimator.estimate(asked) };
    },
    async keep(job, named, text) {
      const account = accountNamed(named);
      const put = await parcels.put(job, text, { account, most: limits.kept_bytes });
      if (put === "full") return { ok: false, refusal: NO_ROOM };
      if (put === "too_much") return { ok: false, refusal: tooManyBytes(account, limits) };
      return { ok: true, name: put.name };
    },
  };
}
