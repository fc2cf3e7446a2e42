import { describe, expect, it } from "vitest";
import { bucketOf, type Counted, dayOf, type Figures, secondsOf } from "../../src/domain/usage/figures.ts";
import { MAX_USAGE_ROWS, usageReport } from "../../src/domain/usage/report.ts";
import { csvOf } from "../../src/text/csv.ts";

const DAY = dayOf(Date.parse("2026-11-10T12:00:00Z"));

const counted = (
  figures: Partial<Figures>,
  differs: Partial<Counted["of"]> = {},
  times: readonly number[] = [],
): Counted => ({
  day: DAY,
  of: {
    ...{ repository_id: 5, repository: "octo/demo", account: "ada", requester: "ada", model: null, started_by: null },
    ...differs,
  },
  figures,
  merge_times: times.map((ms) => [bucketOf(ms), 1]),
});

describe("a report of use", () => {
  it("keeps the dearest rows and says the others as one", async () => {
    const rows = Array.from({ length: MAX_USAGE_ROWS + 5 }, (_, id) =>
      counted({ jobs: 1, merged: 1, millicents: 1_000 * id }, { requester: `user${id}` }, [60_000]),
    );
    const report = await usageReport(rows, "requester");
    expect(report.rows).toHaveLength(MAX_USAGE_ROWS);
    expect(report.rows[0]).toMatchObject({ name: `user${MAX_USAGE_ROWS + 4}`, cents: MAX_USAGE_ROWS + 4 });
    expect(report.others).toMatchObject({ name: null, jobs: 5, cents: 10, merged: 5 });
    expect(report.total).toMatchObject({ jobs: MAX_USAGE_ROWS + 5, share_merged: 1 });
  });

  it("takes a repository that was renamed for one, and a login in any case", async () => {
    const both = [counted({ jobs: 1 }), counted({ jobs: 1 }, { repository: "octo/renamed", requester: "Ada" })];
    expect((await usageReport(both, "repository")).rows).toMatchObject([{ jobs: 2, repository: { id: 5 } }]);
    expect((await usageReport(both, "requester")).rows).toMatchObject([{ jobs: 2 }]);
  });

  it("keeps schedules of one name apart by their repositories", async () => {
    const started_by = { kind: "schedule", name: "nightly" } as const;
    const both = [counted({ jobs: 1 }, { started_by }), counted({ jobs: 1 }, { started_by, repository_id: 6 })];
    expect((await usageReport(both, "schedule")).rows).toHaveLength(2);
  });

  it("says nothing where there is nothing to say it of", async () => {
    const { total } = await usageReport([], "day");
    const none = { share_merged: null, median_seconds_to_merge: null, share_second_attempts: null };
    expect(total).toMatchObject({ ...none, cents_per_merged: null, jobs: 0 });
    expect((await usageReport([counted({ jobs: 2 })], "day")).total).toMatchObject({ open: 2, share_merged: null });
  });

  it("tells the median of any times within 5 %", async () => {
    for (const seconds of [1, 2, 59, 3_600, 86_400, 31_536_000]) {
      const times = [0.4, 1, 1_000].map((times) => seconds * times * 1_000);
      const { total } = await usageReport([counted({ merged: 3 }, {}, times)], "day");
      expect(Math.abs((total.median_seconds_to_merge ?? 0) - seconds)).toBeLessThanOrEqual(seconds * 0.05);
    }
    expect(secondsOf(bucketOf(-5))).toBe(1);
  });
});

describe("a table of comma-separated values", () => {
  it("quotes what has to be, and disarms what a spreadsheet would run", () => {
    const row = ["a,b", 'say "hi"', "two\nlines", "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "plain", null, 2.5, -3];
    expect(csvOf([row])).toBe(`"a,b","say ""hi""","two\nlines",'=1+1,'+1,'-1,'@SUM(A1),'\tx,"'\rx",plain,,2.5,-3\r\n`);
  });
});
