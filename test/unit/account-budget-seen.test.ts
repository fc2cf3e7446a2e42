/** When the people of an account are told of its budget, and in which words. */
import { expect, it } from "vitest";
import { accountBudgetsSeen, tellAccountBudget } from "../../src/domain/job/account-budget-seen.ts";

const spent = (day_cents: number, month_cents = day_cents) => ({ day_cents, month_cents, jobs_of_day: 0 });
const LIMITS = { day_cents: 500, month_cents: 5_000 };
const levels = (...of: Parameters<typeof accountBudgetsSeen>) =>
  accountBudgetsSeen(...of).map(({ limit, level }) => [limit, level]);

it("is worth telling from four fifths on, and when too little is left for an attempt or a job waits", () => {
  expect(levels(LIMITS, spent(399), null)).toEqual([]);
  expect(levels(LIMITS, spent(400), null)).toEqual([["day_cents", "warning"]]);
  expect(levels(LIMITS, spent(451), null)).toEqual([["day_cents", "exhausted"]]);
  expect(levels(LIMITS, spent(0), "account_day_cents")).toEqual([["day_cents", "exhausted"]]);
  expect(levels(LIMITS, spent(0), "day_cents")).toEqual([]);
  expect(levels(LIMITS, spent(10, 4_100), null)).toEqual([["month_cents", "warning"]]);
  expect(levels({}, spent(9_999), null)).toEqual([]);
});

it("names the account, the sum and the way on, and is the same until its period or its amount is another", () => {
  const of = { account: "ada", repository: "octo/demo", now: Date.UTC(2026, 10, 30, 12) };
  const seen = { limit: "month_cents", used: 4_100, most: 5_000, level: "warning" } as const;
  const warned = tellAccountBudget(seen, of);
  expect(warned.event.data).toMatchObject({ account: "ada", period: "2026-11", used: 4_100, limit: 5_000 });
  expect(warned.event.data.text).toBe(
    "$41.00 of the $50.00 that this server allows ada this month are spent. Jobs begin while there is room for what they may " +
      "cost; only the server's operator raises it.",
  );
  expect(tellAccountBudget({ ...seen, level: "exhausted" }, of).event.data.text).toContain(
    "More jobs wait in line until one gives some back, or on 2026-12-01 at 00:00 UTC, or until the server's operator raises it.",
  );
  expect(tellAccountBudget({ ...seen, used: 4_200 }, { ...of, now: of.now + 1 }).once).toBe(warned.once);
  expect(tellAccountBudget({ ...seen, most: 5_100 }, of).once).not.toBe(warned.once);
  expect(tellAccountBudget(seen, { ...of, now: of.now + 86_400_000 }).once).not.toBe(warned.once);
});
