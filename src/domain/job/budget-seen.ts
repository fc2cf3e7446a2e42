/** How much of a repository's budget is used, for those who are warned of it. */
import { type Budget, REPOSITORY_BUDGET_LIMITS, type RepositoryBudgetLimit } from "../../contracts/budget.ts";
import { type BookedIn, LEAST_CENTS } from "./budget.ts";
import type { Job } from "./job.ts";
import { beginsAttempt, givesPlace, type LineFacts, walkLine } from "./line.ts";

/** `level` null: little is used. */
export interface Seen {
  readonly limit: RepositoryBudgetLimit;
  readonly used: number;
  readonly most: number;
  readonly level: "warning" | "exhausted" | null;
}

const WARNED_FROM = 0.8;

function usedOf(limit: RepositoryBudgetLimit, { day_cents, month_cents, jobs_of_day }: BookedIn): number {
  return { day_cents, month_cents, jobs_per_day: jobs_of_day }[limit];
}

export function budgetsSeen(facts: LineFacts): readonly Seen[] {
  const { repository, cap_cents } = facts.budgets ?? {};
  if (!repository || cap_cents === undefined) return [];
  const { limits, spent }: { limits: Budget; spent: BookedIn } = repository;
  const waits = new Set(walkLine(facts).flatMap(({ reached }) => (reached === null ? [] : [reached.limit as string])));
  return REPOSITORY_BUDGET_LIMITS.flatMap((limit): Seen[] => {
    const most = limits[limit];
    if (most === undefined) return [];
    const used = usedOf(limit, spent);
    // an attempt does not begin with less
    const needed = limit === "jobs_per_day" ? 1 : Math.min(cap_cents, LEAST_CENTS, most);
    const isOver = waits.has(limit) || (used > 0 && most - used < needed);
    return [{ limit, used, most, level: isOver ? "exhausted" : used >= most * WARNED_FROM ? "warning" : null }];
  });
}

/** It was created, or takes, waits for, gives back or has used some of the budget. */
export const concernsBudget = (job: Job, before: Job | null): boolean =>
  before === null ||
  (before.line === null) !== (job.line === null) ||
  before.line?.limit !== job.line?.limit ||
  beginsAttempt(before, job) ||
  givesPlace(before, job);
