/** How much of an account's budget is used, and what its people are told of that. */
import type { Budget } from "../../contracts/budget.ts";
import { repositoryEventOf } from "../repository/publish.ts";
import { type BookedIn, dollars, LEAST_CENTS, nextDay, nextMonth, whenMore } from "./budget.ts";

const LIMITS = ["day_cents", "month_cents"] as const;
type Limit = (typeof LIMITS)[number];

export interface SeenOfAccount {
  readonly limit: Limit;
  readonly used: number;
  readonly most: number;
  readonly level: "warning" | "exhausted";
}

const WARNED_FROM = 0.8;

/** What is worth telling. `waits_for`: the limit for which a job of the account waits just now; null: none does. */
export function accountBudgetsSeen(
  limits: Budget,
  spent: BookedIn,
  waits_for: string | null,
): readonly SeenOfAccount[] {
  return LIMITS.flatMap((limit): SeenOfAccount[] => {
    const most = limits[limit];
    if (most === undefined) return [];
    const used = spent[limit];
    // an attempt does not begin with less
    const isOver = waits_for === `account_${limit}` || (used > 0 && most - used < Math.min(LEAST_CENTS, most));
    if (!isOver && used < most * WARNED_FROM) return [];
    return [{ limit, used, most, level: isOver ? "exhausted" : "warning" }];
  });
}

interface Of {
  readonly account: string;
  /** `owner/name`, where it was seen. */
  readonly repository: string;
  readonly now: number;
}

/** `once`: what is the same is told once. A budget that was raised is another one. */
export function tellAccountBudget({ limit, used, most, level }: SeenOfAccount, { account, repository, now }: Of) {
  const isDay = limit === "day_cents";
  const period = new Date(now).toISOString().slice(0, isDay ? 10 : 7);
  const spent = `${dollars(used)} of the ${dollars(most)} that this server allows ${account} ${isDay ? "today" : "this month"} are spent`;
  const more = whenMore(`account_${limit}`, isDay ? nextDay(now) : nextMonth(now));
  const text =
    level === "warning"
      ? `${spent}. Jobs begin while there is room for what they may cost; only the server's operator raises it.`
      : `${spent}, and too little is left beside what jobs under way may cost. More jobs wait in line until one gives some back, or ` +
        `${more}, or until the server's operator raises it.`;
  const told = { subject: `account.${limit}`, text, more: { account, period, used, limit: most } };
  const type = level === "warning" ? ("account_budget.warning" as const) : ("account_budget.exhausted" as const);
  return { event: repositoryEventOf(repository, type, told, now), once: `${limit} ${period} ${most}` };
}
