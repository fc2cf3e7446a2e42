/**
 * Figures of use by day: what jobs came to and what they cost. A job counts on the UTC day on which it was asked for,
 * with all that comes of it; cents and tokens count on the day on which their attempt has ended.
 */
import { accountNamed } from "../job/account.ts";
import { actionsWork, fullName, type Job, startedBy } from "../job/job.ts";
import { type JobOutcome, OUTCOME_WORDS, outcomeOf } from "../job/outcome.ts";
import type { SpendingRow } from "../job/spending.ts";
import type { Booked } from "./booked.ts";

export const DAY_MS = 24 * 3_600_000;
/** Days since the epoch, in UTC. */
export const dayOf = (at: number): number => Math.floor(at / DAY_MS);

/** `again`: jobs that took more than one attempt. Money is in thousandths of a cent, so that sums are exact. */
export const FIGURES = [
  ...OUTCOME_WORDS,
  ...(["jobs", "again", "attempts", "millicents", "estimated_millicents"] as const),
  ...(["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"] as const),
] as const;
export type Figure = (typeof FIGURES)[number];

export type Figures = Readonly<Record<Figure, number>>;

export const NO_FIGURES: Figures = {
  ...{ merged: 0, done: 0, nothing_to_do: 0, question: 0, declined: 0, failed: 0, cancelled: 0 },
  ...{ jobs: 0, again: 0, attempts: 0, millicents: 0, estimated_millicents: 0 },
  ...{ input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
};

/** What figures can be told apart by, beside the day. */
export interface UsageOf
  extends Pick<SpendingRow, "repository_id" | "repository" | "requester" | "model" | "started_by"> {
  /** In its one spelling. */
  readonly account: string;
}

export interface Counted {
  readonly day: number;
  readonly of: UsageOf;
  /** Missing ones are 0. */
  readonly figures: Partial<Figures>;
  /** How many pull requests took so long to be merged, by {@link bucketOf}. */
  readonly merge_times: readonly (readonly [bucket: number, count: number])[];
}

/** As much of a job as its figures follow from. */
export interface UsageJob
  extends Pick<Job, "account" | "repository" | "requester" | "origin" | "created_at" | "merged_at"> {
  readonly outcome: JobOutcome | null;
  /** The one of its newest attempt. */
  readonly model: string | null;
  readonly spending: readonly Booked[];
}

export const usageJobOf = (job: Job, spending: readonly Booked[]): UsageJob => ({
  ...job,
  outcome: outcomeOf(job),
  model: spending.at(-1)?.model ?? actionsWork(job)?.llm?.model ?? null,
  spending,
});

const RATIO = 1.1;

/** Times are kept in steps of a tenth, so that a median is right within 5 %. */
export const bucketOf = (ms: number): number => Math.round(Math.log(Math.max(1, ms / 1_000)) / Math.log(RATIO));
export const secondsOf = (bucket: number): number => Math.round(RATIO ** bucket);

const millicents = (cents: number): number => Math.round(cents * 1_000);

function ofRow({ at, cents, known, usage }: Booked, of: UsageOf): Counted {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = usage;
  const tokens = { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens };
  const money = known ? { millicents: millicents(cents) } : { estimated_millicents: millicents(cents) };
  return { day: dayOf(at), of, figures: { attempts: 1, ...money, ...tokens }, merge_times: [] };
}

/** All that one job adds to the figures. The same job always adds the same, so it can be taken out again. */
export function countedOf(job: UsageJob): readonly Counted[] {
  const { repository, requester, model, outcome, created_at, merged_at, spending } = job;
  const who = { account: accountNamed(job.account), requester, started_by: startedBy(job) };
  const of: UsageOf = { ...who, model, repository_id: repository.id ?? null, repository: fullName(repository) };
  const again = spending.length > 1 ? { again: 1 } : {};
  const figures = { jobs: 1, ...again, ...(outcome === null ? {} : { [outcome]: 1 }) };
  const merge_times = merged_at === null ? [] : [[bucketOf(merged_at - created_at), 1] as const];
  const itself: Counted = { day: dayOf(created_at), of, figures, merge_times };
  return [itself, ...spending.map((row) => ofRow(row, row.model === model ? of : { ...of, model: row.model }))];
}
