/** What `GET /api/usage` tells, and whom. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { NO_USAGE } from "../../src/contracts/result.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { API_KEY, startServer, type TestServer } from "./http-server.ts";
import { keep, sampleJob } from "./store/sample.ts";

const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);
const NOVEMBER = "from=2026-11-01&to=2026-11-30";

let server: TestServer;
let next = 0;

/** A job whose attempts have cost this much, each an hour after the one before. */
async function spend(
  cents: readonly number[],
  differs: Partial<Job> & { readonly known?: boolean } = {},
): Promise<void> {
  const { known = true, ...fields } = differs;
  next += 1;
  const repository = { owner: "octo", name: "demo", installation_id: 7, id: 5 };
  const job = sampleJob(next, { repository, requester: "ada", created_at: at("2026-11-10T12:00:00Z"), ...fields });
  const spending = cents.map((each, index) => ({
    ...{ job: job.id, round: 1, attempt: index + 1, at: job.created_at + (index + 1) * HOUR, cents: each, known },
    ...{ account: job.account, repository_id: job.repository.id ?? null, repository: "octo/demo" },
    ...{ requester: job.requester, started_by: null, model: "large", usage: { ...NO_USAGE, input_tokens: 100 } },
  }));
  await keep(server.store.jobs, job, { spending });
}

const merged = (after: number) => {
  const created_at = at("2026-11-10T12:00:00Z");
  return { created_at, status: "verified", merged_at: created_at + after } as const;
};

beforeAll(async () => {
  server = await startServer();
  const other = { owner: "octo", name: "other", installation_id: 7, id: 6 };
  const schedule = { kind: "schedule", name: "nightly", due_at: at("2026-11-11T02:00:00Z") } as const;
  await spend([10.25, 20], merged(2 * HOUR));
  await spend([30], merged(4 * HOUR));
  await spend([50], { known: false, status: "failed", requester: null, account: "bob" });
  await spend([], { created_at: at("2026-11-30T23:59:59Z") });
  await spend([1], { created_at: at("2026-12-01T00:00:00Z") });
  await spend([5], { repository: other, origin: schedule, requester: null, account: "repository@6" });
  await spend([], { repository: other, requester: '=HYPERLINK("http://x"),1' });
});
afterAll(() => server.close());

const row = z.looseObject({ name: z.string().nullable(), jobs: z.number(), cents: z.number() });
const report = z.looseObject({ rows: z.array(row), total: row });
const ask = (query: string, key: string = API_KEY, headers: Record<string, string> = {}) =>
  server.ask("GET", `/api/usage?${query}`, { key, headers });
const told = async (query: string, key?: string) => report.parse((await ask(query, key)).body);
const names = async (query: string, key?: string) =>
  (await told(query, key)).rows.map(({ name, jobs, cents }) => [name, jobs, cents]);

async function keyOf(account: string, repository: string, scopes: readonly string[] = ["read"]): Promise<string> {
  const made = await server.ask("POST", "/api/keys", { body: { account, repository, scopes } });
  return z.object({ key: z.string() }).parse(made.body).key;
}

describe("GET /api/usage", () => {
  it("tells all figures of a repository", async () => {
    const { rows } = await told(`by=repository&${NOVEMBER}`);
    expect(rows[0]).toEqual({
      ...{ name: "octo/demo", repository: "octo/demo", jobs: 4, open: 1, merged_pull_requests: 2 },
      ...{ share_merged: 0.6667, share_second_attempts: 0.25, attempts: 4, cents: 60.25, estimated_cents: 50 },
      ...{ cents_per_merged: 55.13, median_seconds_to_merge: expect.any(Number) },
      ...{ input_tokens: 400, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
    });
    const median = z.number().parse(rows[0]?.median_seconds_to_merge);
    expect(Math.abs(median - 7_200) / 7_200).toBeLessThan(0.05);
  });

  it("sums up by whatever is asked for, dearest first, and days in their order", async () => {
    expect(await names(`by=repository&${NOVEMBER}`)).toEqual([
      ["octo/demo", 4, 60.25],
      ["octo/other", 2, 5],
    ]);
    expect(await names(`by=requester&${NOVEMBER}`)).toEqual([
      ["ada", 3, 60.25],
      [null, 2, 5],
      ['=HYPERLINK("http://x"),1', 1, 0],
    ]);
    expect(await names(`by=model&${NOVEMBER}`)).toEqual([
      ["large", 4, 65.25],
      [null, 2, 0],
    ]);
    expect(await names(`by=schedule&${NOVEMBER}`)).toEqual([
      [null, 5, 60.25],
      ["schedule:nightly", 1, 5],
    ]);
    expect(await names("by=day&from=2026-11-01&to=2026-12-31")).toEqual([
      ["2026-11-10", 5, 65.25],
      ["2026-11-30", 1, 0],
      ["2026-12-01", 1, 1],
    ]);
  });

  it("takes days and times, includes both ends, and says which days they were", async () => {
    const answer = await ask("by=day&from=2026-11-30T18:00:00-08:00&to=2026-12-01T01:00:00Z");
    expect(answer.body).toMatchObject({ from: "2026-12-01", to: "2026-12-01", total: { jobs: 1, cents: 1 } });
    expect(await told("from=2026-11-30&to=2026-11-30")).toMatchObject({ total: { jobs: 1 } });
  });

  it("tells a key of its account's jobs, one that is bound of those in its repository, and an admin's of all", async () => {
    const total = async (key: string, query = NOVEMBER) => (await told(query, key)).total.jobs;
    expect(await total(await keyOf("ada", "*"))).toBe(4);
    expect(await total(await keyOf("bob", "*"))).toBe(1);
    expect(await total(await keyOf("nobody", "*"))).toBe(0);
    const bound = await keyOf("ada", "octo/demo");
    expect(await total(bound)).toBe(3);
    expect(await total(bound, `${NOVEMBER}&repository=Octo/Demo`)).toBe(3);
    expect((await ask("repository=octo/other", bound)).status).toBe(403);
    expect(await total(await keyOf("carol", "octo/other", ["admin"]))).toBe(2);
    expect((await ask("", await keyOf("ada", "*", ["work"]))).status).toBe(403);
  });

  it("finds one repository by its name, and nothing of one that it does not know", async () => {
    expect(await names(`${NOVEMBER}&repository=OCTO/other`)).toEqual([["octo/other", 2, 5]]);
    expect(await names(`${NOVEMBER}&repository=octo/unknown`)).toEqual([]);
  });

  it("is a table for a spreadsheet that runs nothing of it", async () => {
    const csv = await ask(`by=requester&${NOVEMBER}&format=csv`);
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csv.headers.get("content-disposition")).toBe(
      'attachment; filename="usage-by-requester-2026-11-01-2026-11-30.csv"',
    );
    const [head, ...rows] = String(csv.body).trimEnd().split("\r\n");
    expect(head).toMatch(/^name,repository,jobs,open,merged_pull_requests,share_merged,/);
    expect(rows[0]).toMatch(/^ada,,3,1,2,1,/);
    expect(rows[2]).toMatch(/^"'=HYPERLINK\(""http:\/\/x""\),1",,1,/);
    const accepted = await ask(`by=requester&${NOVEMBER}`, API_KEY, { accept: "text/csv, */*;q=0.1" });
    expect(accepted.body).toBe(csv.body);
    expect((await ask("", API_KEY, { accept: "*/*" })).headers.get("content-type")).toMatch(/^application\/json/);
  });

  it.each([
    ["by=colour", "by: must be one of: repository, requester, model, schedule, day."],
    ["from=yesterday", "from: must be a day or a time in UTC, such as 2026-11-01 or 2026-11-01T00:00:00Z."],
    ["to=2026-02-30", "to: must be a day or a time in UTC, such as 2026-11-01 or 2026-11-01T00:00:00Z."],
    ["from=2026-11-02&to=2026-11-01", "to: must not be before from."],
    ["from=2024-01-01&to=2026-01-01", "from: must be within 400 days before to."],
    ["repository=octo", "repository: must be owner/name, given once."],
    ["repository=a/b&repository=c/d", "repository: must be owner/name, given once."],
    ["format=xml", "format: must be json or csv."],
    ["until=2026-01-01", "until: is not known here; there is by, from, to, repository, format."],
  ])("says what is wrong with %s", async (query, error) => {
    const answer = await ask(query);
    expect([answer.status, answer.body]).toEqual([400, { error, code: "invalid_field" }]);
  });
});
