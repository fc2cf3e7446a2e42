/**
 * Adds up the model usage of all attempts of a job: the last attempt's is in its result, those of the others are only
 * counted.
 */
import { type AgentResult, isOnActions, type Job, type Run } from "./job.ts";
import { NOTHING_SPENT, type Spent } from "./schema.ts";

const plus = (a: Spent, b: Spent): Spent => ({
  attempts: a.attempts + b.attempts,
  usage: {
    turns: a.usage.turns + b.usage.turns,
    input_tokens: a.usage.input_tokens + b.usage.input_tokens,
    output_tokens: a.usage.output_tokens + b.usage.output_tokens,
    cache_read_tokens: a.usage.cache_read_tokens + b.usage.cache_read_tokens,
    cache_write_tokens: a.usage.cache_write_tokens + b.usage.cache_write_tokens,
  },
  cost_cents: a.cost_cents + b.cost_cents,
  complete: a.complete && b.complete,
});

const ofResult = ({ usage, cost_cents }: AgentResult): Spent => ({
  ...{ attempts: 1, usage, cost_cents: cost_cents ?? 0, complete: cost_cents !== null },
});

export const spentOf = ({ result, other_attempts }: Pick<Job, "result" | "other_attempts">): Spent =>
  result === null ? other_attempts : plus(other_attempts, ofResult(result));

/** In cents; null: no attempt has told it. */
export function costOf(job: Pick<Job, "result" | "other_attempts">): number | null {
  const { cost_cents, complete, attempts } = spentOf(job);
  return attempts === 0 || (cost_cents === 0 && !complete) ? null : cost_cents;
}

type Ran = Pick<Run, "id" | "attempt">;

const isOf = (result: AgentResult | null, run: Ran | null): boolean =>
  run !== null && result?.run?.id === run.id && result.run.attempt === run.attempt;

/**
 * The result that a run tells, in place of what it told before; what an earlier run has used stays counted. A reading that
 * lacks figures does not undo those that were handed in.
 */
export function withResult(job: Job, result: AgentResult, run: Ran | null): Pick<Job, "result" | "other_attempts"> {
  const of = run === null ? null : { id: run.id, attempt: run.attempt };
  if (job.result === null || !isOf(job.result, run))
    return { result: { ...result, run: of }, other_attempts: spentOf(job) };
  const { usage, cost_cents } = result.cost_cents === null ? job.result : result;
  return { result: { ...result, usage, cost_cents, run: of }, other_attempts: job.other_attempts };
}

/** An attempt is over. If its run has told nothing of what it used, the sum is no longer whole. */
export function withoutResult(job: Job): Pick<Job, "other_attempts"> {
  const { status, result, other_attempts } = job;
  if (!isOnActions(job) || status !== "accepted" || isOf(result, job.work.run)) return { other_attempts };
  return { other_attempts: plus(other_attempts, { ...NOTHING_SPENT, attempts: 1, complete: false }) };
}

/** What this run has told of what it used; null: nothing. */
export function usageOfRun(
  { result }: Pick<Job, "result">,
  run: Ran | null,
): Pick<AgentResult, "usage" | "cost_cents" | "model"> | null {
  return isOf(result, run) ? result : null;
}
