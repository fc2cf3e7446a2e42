/** What the operator allows the jobs of an account to cost, in all repositories together. */
import type { Budget } from "../../contracts/budget.ts";

export interface AccountBudgets {
  /** Whether any account may have one, so that nobody looks where none has. */
  any(): boolean;
  /** Null: it has none. */
  of(account: string): Promise<Budget | null>;
}

export const NO_ACCOUNT_BUDGETS: AccountBudgets = { any: () => false, of: async () => null };
