/** How much the jobs of a repository may cost, by its own settings. Missing: as much as they do. */
import * as z from "zod";

const cents = z.number().positive().max(100_000_000).optional();

export const budgetSchema = z
  .strictObject({
    /** By the calendar day and month of UTC. */
    day_cents: cents,
    month_cents: cents,
    jobs_per_day: z.number().int().min(1).max(100_000).optional(),
  })
  .prefault({});

export const REPOSITORY_BUDGET_LIMITS = ["day_cents", "month_cents", "jobs_per_day"] as const;
export type RepositoryBudgetLimit = (typeof REPOSITORY_BUDGET_LIMITS)[number];

export type Budget = z.output<typeof budgetSchema>;

/** What the jobs of an account may cost, by its operator: US cents; null: as much as it wants. */
export interface AccountLimits {
  readonly day_cents: number | null;
  readonly month_cents: number | null;
}
