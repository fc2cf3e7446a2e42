/** When people are told of a repository's budget. */
import { describe, expect, it } from "vitest";
import { budgetsSeen, type Seen } from "../../src/domain/job/budget-seen.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";

const HELLO = newRepository({ id: 42, owner: "octo", name: "hello", installation_id: 1 });
const NOON = Date.parse("2026-11-30T12:00:00Z");
const DAY_MS = 24 * 3_600_000;

const seen = (limit: Seen["limit"], used: number, most: number, level: Seen["level"]): Seen => ({
  ...{ limit, used, most, level },
});

/** The repository after it was told, and the events that follow: which, of what and the words. */
function tell(state: RepositoryState, budgets: readonly Seen[], now = NOON) {
  const decision = decideRepository(state, { type: "budget-seen", budgets }, { now, offers_set_up: false });
  if (decision.kind === "unchanged" || decision.state === null) return { state, told: [], texts: [] };
  const events = decision.effects.flatMap(({ effect }) => (effect.type === "publish" ? [effect.event] : []));
  return {
    state: decision.state,
    told: events.map(({ type, data }) => `${type} ${data.subject}`),
    texts: events.map(({ data }) => data.text),
  };
}

describe("a notice of a budget", () => {
  it("comes once when most is used and once when it is used up, in a day or a month", () => {
    const warning = tell(HELLO, [seen("day_cents", 400, 500, "warning"), seen("month_cents", 400, 9_000, null)]);
    expect(warning.told).toEqual(["budget.warning budget.day_cents"]);
    expect(tell(warning.state, [seen("day_cents", 410, 500, "warning")]).told).toEqual([]);
    const over = tell(warning.state, [
      seen("day_cents", 490, 500, "exhausted"),
      seen("month_cents", 8_990, 9_000, "exhausted"),
    ]);
    expect(over.told).toEqual(["budget.exhausted budget.day_cents", "budget.exhausted budget.month_cents"]);
    expect(tell(over.state, [seen("day_cents", 420, 500, "warning")]).told).toEqual([]);
    const days = [seen("day_cents", 490, 500, "exhausted"), seen("month_cents", 8_990, 9_000, "exhausted")];
    expect(tell(over.state, days).told).toEqual([]);
    // a new day, in a new month
    const next = tell(over.state, days, NOON + DAY_MS);
    expect(next.told).toHaveLength(2);
    expect(next.state.budget_notices).toHaveLength(2);
  });

  it("comes anew of a budget that was raised", () => {
    const { state } = tell(HELLO, [seen("day_cents", 500, 500, "exhausted")]);
    expect(tell(state, [seen("day_cents", 500, 600, "warning")]).told).toEqual(["budget.warning budget.day_cents"]);
  });

  it("says what happened, until when and what to do", () => {
    const { texts } = tell(HELLO, [
      seen("day_cents", 401.26, 500, "warning"),
      seen("month_cents", 8_990, 9_000, "exhausted"),
      seen("jobs_per_day", 1, 1, "exhausted"),
    ]);
    expect(texts).toEqual([
      "$4.01 of the $5.00 of today are spent. Jobs begin while there is room for what they may cost; if that is too " +
        "little, raise `budget.day_cents` in `.github/journeyman.yml`.",
      "$89.90 of the $90.00 of this month are spent, and too little is left beside what jobs under way may cost. More " +
        "jobs wait in line until one gives some back, or on 2026-12-01 at 00:00 UTC; an admin of the repository may say " +
        "`/job --over-budget …` or `/job retry --over-budget`, or raise `budget.month_cents` in `.github/journeyman.yml`.",
      "Jobs of today: 1 of 1. More are refused until 00:00 UTC; an admin of the repository may say " +
        "`/job --over-budget …`, or raise `budget.jobs_per_day` in `.github/journeyman.yml`.",
    ]);
  });
});

describe("how much of a budget is used", () => {
  const budgets = (day_cents: number, jobs_of_day: number) =>
    budgetsSeen({
      limits: {},
      places: [],
      budgets: {
        ...{ now: NOON, cap_cents: 300, accounts: new Map() },
        repository: {
          limits: { day_cents: 500, jobs_per_day: 10 },
          spent: { day_cents, month_cents: day_cents, jobs_of_day },
        },
      },
    }).map(({ limit, level }) => [limit, level]);

  it.each([
    [0, 0, null, null],
    [399.99, 7, null, null],
    [400, 8, "warning", "warning"],
    [450, 9, "warning", "warning"],
    [450.01, 10, "exhausted", "exhausted"],
    [700, 12, "exhausted", "exhausted"],
  ])("after %d cents and %d jobs is said", (cents, jobs, day, created) => {
    expect(budgets(cents, jobs)).toEqual([
      ["day_cents", day],
      ["jobs_per_day", created],
    ]);
  });
});
