/** Notices of a repository's budget: when most of it is spent, and when jobs wait or are refused. Each once in its day or month. */
import type { RepositoryBudgetLimit } from "../../contracts/budget.ts";
import { dollars, nextDay, nextMonth, whenMore } from "../job/budget.ts";
import type { Seen } from "../job/budget-seen.ts";
import type { Wanted } from "../pending-effect.ts";
import type { RepositoryEffect } from "./effect.ts";
import type { RepositoryEventName } from "./events.ts";
import { published } from "./publish.ts";
import type { RepositoryState } from "./repository.ts";

export interface BudgetSeen {
  readonly type: "budget-seen";
  readonly budgets: readonly Seen[];
}

type Notice = RepositoryState["budget_notices"][number];

const isOfDay = (limit: RepositoryBudgetLimit): boolean => limit !== "month_cents";

/** `2026-11-30`, `2026-11`. */
function periodOf(limit: RepositoryBudgetLimit, now: number): string {
  const date = new Date(now).toISOString();
  return isOfDay(limit) ? date.slice(0, 10) : date.slice(0, 7);
}

const RANK: Readonly<Record<Notice["level"], number>> = { warning: 1, exhausted: 2 };

function textOf({ limit, used, most }: Seen, level: Notice["level"], now: number): string {
  const when = isOfDay(limit) ? "of today" : "of this month";
  const raise = `raise \`budget.${limit}\` in \`.github/journeyman.yml\``;
  if (limit === "jobs_per_day") {
    const created = `Jobs ${when}: ${used} of ${most}.`;
    return level === "warning"
      ? `${created} If more are needed, ${raise}.`
      : `${created} More are refused until 00:00 UTC; an admin of the repository may say \`/job --over-budget …\`, or ${raise}.`;
  }
  const spent = `${dollars(used)} of the ${dollars(most)} ${when} are spent`;
  if (level === "warning")
    return `${spent}. Jobs begin while there is room for what they may cost; if that is too little, ${raise}.`;
  const until = isOfDay(limit) ? nextDay(now) : nextMonth(now);
  return (
    `${spent}, and too little is left beside what jobs under way may cost. More jobs wait in line until one gives some back, or ` +
    `${whenMore(limit, until)}; an admin of the repository may say \`/job --over-budget …\` or \`/job retry --over-budget\`, or ${raise}.`
  );
}

/** A budget that was raised is another one, of which is told anew. */
const isTold = (told: readonly Notice[], next: Notice): boolean =>
  told.some(
    ({ limit, period, most, level }) =>
      limit === next.limit && period === next.period && most === next.most && RANK[level] >= RANK[next.level],
  );

interface Told {
  readonly state: RepositoryState;
  readonly effects: readonly Wanted<RepositoryEffect>[];
}

/** Null: nothing is to be told. */
export function budgetTold(state: RepositoryState, { budgets }: BudgetSeen, now: number): Told | null {
  const told = state.budget_notices.filter(({ limit, period }) => period === periodOf(limit, now));
  const news = budgets.flatMap((seen) => {
    if (seen.level === null) return [];
    const notice: Notice = { limit: seen.limit, period: periodOf(seen.limit, now), most: seen.most, level: seen.level };
    return isTold(told, notice) ? [] : [{ seen, notice }];
  });
  if (news.length === 0) return null;
  const changed = new Set(news.map(({ notice }) => notice.limit));
  const budget_notices = [...told.filter(({ limit }) => !changed.has(limit)), ...news.map(({ notice }) => notice)];
  const effects = news.map(({ seen, notice: { level, period } }) => {
    const type: RepositoryEventName = level === "warning" ? "budget.warning" : "budget.exhausted";
    const more = { period, used: seen.used, limit: seen.most };
    return published(state, type, { subject: `budget.${seen.limit}`, text: textOf(seen, level, now), more }, now);
  });
  return { state: { ...state, budget_notices }, effects };
}
