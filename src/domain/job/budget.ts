/**
 * What budgets leave to an attempt. It reserves its cap when it begins, and what it has cost is booked when it ends, both on
 * the day and in the month (of UTC) in which it began: so a day's bookings and reservations together never exceed its
 * budget, however attempts overlap and whatever the clock does.
 */
import type { Budget } from "../../contracts/budget.ts";
import { PLACE_LIMITS, type RepositorySettings } from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";

/** A model cannot do anything useful with less, so an attempt waits for more; less only where its cap or a whole budget is. */
export const LEAST_CENTS = 50;

export const BUDGET_LIMITS = ["day_cents", "month_cents", "account_day_cents", "account_month_cents"] as const;
export type BudgetLimit = (typeof BUDGET_LIMITS)[number];

/** What a job may wait for in line. */
export const LINE_LIMITS = [...PLACE_LIMITS, ...BUDGET_LIMITS] as const;

/** What an attempt under way holds of the budget of its day. */
export interface Held {
  readonly at: number;
  readonly cents: number;
}

/** What was booked on the day and in the month that are looked at. */
export interface BookedIn {
  readonly day_cents: number;
  readonly month_cents: number;
  readonly jobs_of_day: number;
}

/** A budget with what is left of it. */
export interface BudgetFacts {
  readonly limits: Budget;
  readonly spent: BookedIn;
}

/** A budget that has too little left, and when there is more. */
export interface BudgetReached {
  readonly limit: BudgetLimit;
  /** Cents. */
  readonly most: number;
  readonly until: number;
}

/** Settings of an earlier version do not have it. */
export const budgetOf = (settings: Partial<Pick<RepositorySettings, "budget">> | null): Budget =>
  settings?.budget ?? {};

export const hasBudget = ({ day_cents, month_cents, jobs_per_day }: Budget): boolean =>
  day_cents !== undefined || month_cents !== undefined || jobs_per_day !== undefined;

export const limitsCents = ({ day_cents, month_cents }: Budget): boolean =>
  day_cents !== undefined || month_cents !== undefined;

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const monthOf = (at: number): string => dayOf(at).slice(0, 7);

export function nextDay(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
}

export function nextMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Cents, rounded down so that fractions do not add up beyond the budget. */
const leftOf = (most: number | undefined, used: number): number =>
  most === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor((most - used) * 100) / 100);

/** Sums of what is held and booked, to which more can be added. */
export class BudgetRoom {
  readonly #budget: BudgetFacts;
  readonly #prefix: "" | "account_";
  readonly #now: number;
  #day: number;
  #month: number;

  constructor(budget: BudgetFacts, held: readonly Held[], now: number, whose: "repository" | "account") {
    this.#budget = budget;
    this.#prefix = whose === "account" ? "account_" : "";
    this.#now = now;
    this.#day = budget.spent.day_cents;
    this.#month = budget.spent.month_cents;
    for (const one of held) this.add(one);
  }

  add({ at, cents }: Held): void {
    if (dayOf(at) === dayOf(this.#now)) this.#day += cents;
    if (monthOf(at) === monthOf(this.#now)) this.#month += cents;
  }

  /** However long somebody waits, there is no more. */
  get most(): number {
    const { day_cents = Number.POSITIVE_INFINITY, month_cents = Number.POSITIVE_INFINITY } = this.#budget.limits;
    return Math.min(day_cents, month_cents);
  }

  get left(): number {
    const { day_cents, month_cents } = this.#budget.limits;
    return Math.min(leftOf(day_cents, this.#day), leftOf(month_cents, this.#month));
  }

  /** Of the budgets that have less left than that, the one that it takes longest to wait for; null: there is room. */
  reached(least: number): BudgetReached | null {
    const { day_cents, month_cents } = this.#budget.limits;
    if (month_cents !== undefined && leftOf(month_cents, this.#month) < least)
      return { limit: `${this.#prefix}month_cents`, most: month_cents, until: nextMonth(this.#now) };
    if (day_cents !== undefined && leftOf(day_cents, this.#day) < least)
      return { limit: `${this.#prefix}day_cents`, most: day_cents, until: nextDay(this.#now) };
    return null;
  }
}

/** What an attempt gets that would use so much, or the budget that keeps it from beginning. */
export function grantFrom(rooms: readonly BudgetRoom[], wanted: number): number | BudgetReached {
  const left = Math.min(wanted, ...rooms.map((room) => room.left));
  // rounded as what is left is
  const least = Math.min(wanted, LEAST_CENTS, ...rooms.map(({ most }) => leftOf(most, 0)));
  if (left >= least) return left;
  const all = rooms.map((room) => room.reached(least)).filter((one) => one !== null);
  const [last] = all.toSorted((a, b) => b.until - a.until);
  if (last === undefined) throw new Error("A budget has too little left and none is reached");
  return last;
}

export const dollars = (cents: number): string => `$${(cents / 100).toFixed(2)}`;

/** `budget.day_cents`; null: it is the operator's and no setting of the repository. */
export const budgetSetting = (limit: BudgetLimit): string | null =>
  limit === "day_cents" || limit === "month_cents" ? `budget.${limit}` : null;

const isDay = (limit: BudgetLimit): boolean => limit === "day_cents" || limit === "account_day_cents";

/** Without a full stop. */
export function whyOverBudget({ limit, most }: Pick<BudgetReached, "limit" | "most">, account: string): string {
  const when = isDay(limit) ? "of today" : "of this month";
  const whose = budgetSetting(limit) === null ? `, which this server allows ${account},` : "";
  return `the budget ${when}, ${dollars(most)}${whose} is used up or reserved by jobs under way`;
}

/** When there is more: `at 00:00 UTC`, `on 2026-12-01 at 00:00 UTC`. */
export const whenMore = (limit: BudgetLimit, until: number): string =>
  isDay(limit) ? "at 00:00 UTC" : `on ${dayOf(until)} at 00:00 UTC`;

export const tooManyJobs = (most: number): string =>
  `${counted(most, "job was", "jobs were")} created today, which is the most (\`budget.jobs_per_day\`)`;
