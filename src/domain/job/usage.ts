/**
 * What the model has used in all tries of a job. Of the last one the job keeps the words as well (`work`); the others are
 * only counted. Pure.
 */
import { NO_USAGE, type Usage } from "../../contracts/result.ts";
import type { AgentResult, Job, Run } from "./job.ts";

export interface Spent {
  readonly tries: number;
  readonly usage: Usage;
  /** Of the tries that told it. */
  readonly cost_cents: number;
  /** Every try has told what it cost. */
  readonly complete: boolean;
}

export const NOTHING_SPENT: Spent = { tries: 0, usage: NO_USAGE, cost_cents: 0, complete: true };

const plus = (a: Spent, b: Spent): Spent => ({
  tries: a.tries + b.tries,
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

const ofWork = ({ usage, cost_cents }: AgentResult): Spent => ({
  ...{ tries: 1, usage, cost_cents: cost_cents ?? 0, complete: cost_cents !== null },
});

export const spentOf = ({ work, other_tries }: Pick<Job, "work" | "other_tries">): Spent =>
  work === null ? other_tries : plus(other_tries, ofWork(work));

/** In cents; null: no try has told it. */
export function costOf(job: Pick<Job, "work" | "other_tries">): number | null {
  const { cost_cents, complete, tries } = spentOf(job);
  return tries === 0 || (cost_cents === 0 && !complete) ? null : cost_cents;
}

type Ran = Pick<Run, "id" | "attempt">;

const isOf = (work: AgentResult | null, run: Ran | null): boolean =>
  run !== null && work?.run?.id === run.id && work.run.attempt === run.attempt;

/**
 * The work that a run tells of, in place of what it told before; what an earlier run has used stays counted. A reading that
 * lacks figures does not undo those that were handed in.
 */
export function withWork(job: Job, work: AgentResult, run: Ran | null): Pick<Job, "work" | "other_tries"> {
  const of = run === null ? null : { id: run.id, attempt: run.attempt };
  if (job.work === null || !isOf(job.work, run)) return { work: { ...work, run: of }, other_tries: spentOf(job) };
  const { usage, cost_cents } = work.cost_cents === null ? job.work : work;
  return { work: { ...work, usage, cost_cents, run: of }, other_tries: job.other_tries };
}

/** A try is over. If its run has told nothing of what it used, the sum is no longer whole. */
export function withoutWord(job: Job): Pick<Job, "other_tries"> {
  const { runner, status, work, run, other_tries } = job;
  if (runner !== "actions" || status !== "accepted" || isOf(work, run)) return { other_tries };
  return { other_tries: plus(other_tries, { ...NOTHING_SPENT, tries: 1, complete: false }) };
}
