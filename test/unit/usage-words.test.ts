/** A repository's months in words. */
import { describe, expect, it } from "vitest";
import { bucketOf, type Counted, type Figures } from "../../src/domain/usage/figures.ts";
import { usageReport } from "../../src/domain/usage/report.ts";
import { monthOf, usageText } from "../../src/domain/usage/words.ts";

const NOW = Date.parse("2026-12-15T12:00:00Z");

const counted = (requester: string | null, figures: Partial<Figures>, seconds: readonly number[] = []): Counted => ({
  day: 0,
  of: {
    ...{ repository_id: 5, repository: "octo/demo", account: "ada", requester, model: null, started_by: null },
  },
  figures,
  merge_times: seconds.map((each) => [bucketOf(each * 1_000), 1]),
});

const text = async (...months: readonly (readonly Counted[])[]) =>
  usageText(
    "octo/demo",
    await Promise.all(
      months.map(async (all, back) => ({ month: monthOf(NOW, back), report: await usageReport(all, "requester") })),
    ),
  );

describe("a repository's months", () => {
  it("are calendar months of UTC, over the turn of the year", () => {
    const day = (text: string) => Date.parse(text) / 86_400_000;
    const january = Date.parse("2027-01-01T00:30:00Z");
    expect(monthOf(january)).toEqual({ name: "January 2027", from: day("2027-01-01"), to: day("2027-01-31") });
    expect(monthOf(january, 1)).toEqual({ name: "December 2026", from: day("2026-12-01"), to: day("2026-12-31") });
    expect(monthOf(Date.parse("2028-02-29T23:59:59Z"))).toMatchObject({ to: day("2028-02-29") });
  });

  it("are a table, and below it who asked for the most", async () => {
    const told = await text(
      [
        counted("ada", { jobs: 3, merged: 1, failed: 1, again: 1, attempts: 4, millicents: 250_000 }, [2_000]),
        counted(null, { jobs: 1, attempts: 1, estimated_millicents: 500_000 }),
      ],
      [],
    );
    expect(told).toEqual({
      text: [
        "What jobs of octo/demo have cost, and what came of them:",
        "",
        "|  | December 2026 | November 2026 |",
        "| --- | --- | --- |",
        "| jobs | 4, 2 of them open | 0 |",
        "| merged pull requests | 1 (50 %) | 0 |",
        "| from request to merge, the median | 34 minutes | – |",
        "| more than one attempt | 25 % | – |",
        "| cost | $2.50, and at most $5.00 of attempts that did not tell it | $0.00 |",
        "| for each merged pull request | $7.50 | – |",
        "",
        "Who asked for the most in December 2026:",
        "",
        "| by | jobs | merged | cost |",
        "| --- | --- | --- | --- |",
        "| schedules, triggers and keys | 1 | 0 | $5.00 |",
        "| `ada` | 3 | 1 | $2.50 |",
      ].join("\n"),
      is_empty: false,
    });
  });

  it("mention nobody and break no table, whatever a requester is called", async () => {
    const told = await text([counted("@team | `x`\n# y", { jobs: 1 }), counted("bob", { jobs: 1 })], []);
    expect(told.text).toContain("| `@team????x????y` | 1 | 0 | $0.00 |");
  });

  it("say so where there is nothing to tell", async () => {
    expect(await text([], [])).toEqual({
      text: "No job was asked for in octo/demo in December 2026 or in November 2026.",
      is_empty: true,
    });
    expect((await text([], [counted("ada", { jobs: 1 })])).is_empty).toBe(true);
  });
});
