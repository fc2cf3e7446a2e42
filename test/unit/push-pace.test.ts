import { beforeEach, describe, expect, it } from "vitest";
import { PUSHES_PER_MINUTE } from "../../src/contracts/push-pace.ts";
import { PushPace } from "../../src/github/client/push-pace.ts";
import { BudgetSpent } from "../../src/github/client/throttle.ts";

const MINUTE = 60_000;

describe("pushes to a repository", () => {
  let now = 0;
  let pace: PushPace;
  beforeEach(() => {
    now = 1_000_000;
    pace = new PushPace(() => now, PUSHES_PER_MINUTE);
  });

  /** Milliseconds that the push must wait; 0: it was made. */
  const push = async (key: string, { repository = "octo/demo", made = true, most_ms = MINUTE * 60 } = {}) => {
    try {
      await pace.run(
        { repository, most_ms },
        key,
        async () => {},
        () => made,
      );
      return 0;
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      return error.after_ms;
    }
  };

  const pushMany = async (count: number, options = {}): Promise<number[]> => {
    const waits = [];
    for (let n = 0; n < count; n++) waits.push(await push(`job${n}`, options));
    return waits;
  };

  it("go at once until there were six in a minute, whatever other repositories do", async () => {
    expect(await pushMany(6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(pace.wait("octo/demo")).toBeGreaterThanOrEqual(MINUTE);
    expect(pace.wait("Octo/Demo")).toBe(pace.wait("octo/demo"));
    expect(pace.wait("octo/other")).toBe(0);
    expect(await push("job", { repository: "octo/other" })).toBe(0);
  });

  it("get their turns in the order in which they asked, and keep them", async () => {
    const waits = await pushMany(20);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(new Set(waits.slice(6, 12)).size).toBe(1);
    now += waits[6] ?? 0;
    expect(await push("late")).toBeGreaterThan(0);
    for (let n = 6; n < 12; n++) expect(await push(`job${n}`)).toBe(0);
    expect(await push("job12")).toBeGreaterThan(0);
  });

  it("take no turn from others when nothing was pushed, or nobody waits that long", async () => {
    expect(await pushMany(20, { made: false })).toEqual(Array.from({ length: 20 }, () => 0));
    await pushMany(6);
    const wait = pace.wait("octo/demo");
    for (let n = 0; n < 20; n++) expect(await push(`impatient${n}`, { most_ms: 15_000 })).toBe(wait);
    expect(pace.wait("octo/demo")).toBe(wait);
  });

  it("give their turn back when the work fails before it", async () => {
    for (let n = 0; n < 10; n++)
      await expect(
        pace.run(
          { repository: "octo/demo" },
          `job${n}`,
          () => Promise.reject(new Error("no")),
          () => false,
        ),
      ).rejects.toThrow("no");
    expect(pace.wait("octo/demo")).toBe(0);
  });
});
