/** What the operator allows the jobs of an account to cost, in all repositories together. */
import type { AccountLimits, Budget } from "../../contracts/budget.ts";

export interface AccountBudgets {
  /** Whether any account may have one, so that nobody looks where none has. */
  any(): boolean;
  /** Null: it has none. */
  of(account: string): Promise<Budget | null>;
}

export const NO_ACCOUNT_BUDGETS: AccountBudgets = { any: () => false, of: async () => null };

/** Those of single accounts, in place of what every account has. */
export interface AccountLimitsStore {
  any(): boolean;
  /** In order of the names. */
  all(): Promise<readonly (AccountLimits & { readonly account: string })[]>;
  /** Null: it has none of its own. */
  get(account: string): Promise<AccountLimits | null>;
  /** Resolves when they are on the disk. */
  set(account: string, limits: AccountLimits): Promise<void>;
  /** False: it had none. */
  remove(account: string): Promise<boolean>;
}
