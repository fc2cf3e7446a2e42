/** What a job's attempts have cost, as its record holds it: the rest of a row of the ledger follows from the job. */
import * as z from "zod";
import { NO_USAGE, usageSchema } from "../../contracts/result.ts";
import { actionsWork, type Job, NOT_REPORTED, runOf } from "../job/job.ts";
import { count, number, type Shape, time, words } from "../job/schema-parts.ts";
import type { SpendingRow } from "../job/spending.ts";

export const bookedSchema = z.object({
  round: count,
  attempt: number,
  at: time,
  model: words,
  cents: z.number().nonnegative(),
  known: z.boolean(),
  usage: usageSchema,
});
export type Booked = Shape<typeof bookedSchema>;

/** Stands for the round of attempts that were over before attempts were booked. */
const BEFORE = 0;

const isSame = (a: Booked, b: Pick<Booked, "round" | "attempt">): boolean =>
  a.round === b.round && a.attempt === b.attempt;

/** A later row replaces the earlier one of its attempt. */
export function withSpending(before: readonly Booked[], rows: readonly SpendingRow[] = []): readonly Booked[] {
  return rows.reduce<readonly Booked[]>((all, { round, attempt, at, model, cents, known, usage }) => {
    const next = { round, attempt, at, model, cents, known, usage };
    return [...all.filter((one) => !isSame(one, next)), next];
  }, before);
}

const reported = (model: string): string | null => (model === NOT_REPORTED ? null : model);

/** Of the result that a job has: its own attempt's if its run is the one that counts, so that it is not booked twice. */
function ofResult(job: Job): Booked[] {
  const { result, updated_at: at } = job;
  if (result === null) return [];
  const run = runOf(job);
  const isOfNow = run !== null && result.run?.id === run.id && result.run.attempt === run.attempt;
  const { round, attempt } = isOfNow ? job : { round: BEFORE, attempt: job.other_attempts.attempts + 1 };
  const { cost_cents, usage } = result;
  const cents = cost_cents ?? 0;
  return [{ round, attempt, at, model: reported(result.model), cents, known: cost_cents !== null, usage }];
}

/** The rows of a job that was stored before attempts were booked. The first has what all but the last have used. */
export function bookedBefore(job: Job): readonly Booked[] {
  const { attempts, cost_cents, complete, usage } = job.other_attempts;
  const model = actionsWork(job)?.llm?.model ?? null;
  const others = Array.from({ length: attempts }, (_, index): Booked => {
    const first = index === 0;
    const row = { round: BEFORE, attempt: index + 1, at: job.updated_at, model };
    return { ...row, cents: first ? cost_cents : 0, known: complete, usage: first ? usage : NO_USAGE };
  });
  return [...others, ...ofResult(job)];
}
