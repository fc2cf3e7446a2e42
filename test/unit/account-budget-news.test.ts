/** Which notices of an account's budget go out, in whatever order its jobs wait and end. */
import { expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { createAccountBudgetNews } from "../../src/engine/account-budget-news.ts";
import { sampleJob } from "../contract/store/sample.ts";

const NOON = Date.UTC(2026, 10, 29, 12);
const DAY_MS = 86_400_000;

function world() {
  const told: string[] = [];
  const known = { day_cents: 0, now: NOON, most: 1_000 };
  const news = createAccountBudgetNews({
    account_budgets: { any: () => true, of: async () => ({ day_cents: known.most }) },
    spending: { spentIn: async () => ({ day_cents: known.day_cents, month_cents: known.day_cents, jobs_of_day: 0 }) },
    eventPublisher: {
      publishToAccount: async ({ type }) => {
        told.push(type);
        return { ended: "done" };
      },
    },
    mayHear: async () => true,
    clock: { now: () => known.now },
    log: { warn: () => {} },
  });
  const after = async (change: Partial<typeof known>, line: Job["line"] = null) => {
    Object.assign(known, change);
    news.committed({ ...sampleJob("ab12cd34"), line }, null);
    await new Promise(setImmediate);
    return told;
  };
  return after;
}

const SPENT = "account_budget.exhausted";
const WARNED = "account_budget.warning";

it("are told in rising order, each once, and anew on the next day and of another budget", async () => {
  const after = world();
  expect(await after({ day_cents: 850 })).toEqual([WARNED]);
  expect(await after({ day_cents: 960 })).toEqual([WARNED, SPENT]);
  expect(await after({ day_cents: 870 })).toEqual([WARNED, SPENT]);
  expect(await after({ most: 1_050 })).toEqual([WARNED, SPENT, WARNED]);
  expect(await after({ now: NOON + DAY_MS, most: 1_000 })).toEqual([WARNED, SPENT, WARNED, WARNED]);
});

it("say nothing of most of it once a job has waited for what others had reserved", async () => {
  const after = world();
  const line = { since: NOON, limit: "account_day_cents", most: 1_000, position: 1 } as const;
  expect(await after({}, line)).toEqual([SPENT]);
  expect(await after({ day_cents: 850 })).toEqual([SPENT]);
});
