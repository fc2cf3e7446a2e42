/** What an account may spend: its own limits, else those that every account has. */
import type { AccountLimits, Budget } from "../contracts/budget.ts";
import { accountNamed } from "../domain/job/account.ts";
import type { AccountBudgets, AccountLimitsStore } from "./ports/account-budgets.ts";

const isLimited = ({ day_cents, month_cents }: AccountLimits): boolean => day_cents !== null || month_cents !== null;

const budgetOf = ({ day_cents, month_cents }: AccountLimits): Budget => ({
  ...(day_cents === null ? {} : { day_cents }),
  ...(month_cents === null ? {} : { month_cents }),
});

export function createAccountBudgets(own: AccountLimitsStore, usual: AccountLimits): AccountBudgets {
  return {
    any: () => isLimited(usual) || own.any(),
    async of(account) {
      const limits = (await own.get(accountNamed(account))) ?? usual;
      return isLimited(limits) ? budgetOf(limits) : null;
    },
  };
}
