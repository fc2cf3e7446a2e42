import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { JobId } from "../../src/domain/job/job.ts";
import { SENDER_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { until } from "../flows/harness.ts";
import { draft, work } from "../unit/job-fixtures.ts";
import { startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
let clock: HandClock;
let id: JobId;
let [ada, bob, eve]: string[] = [];

const WORDS: readonly Command[] = [
  { type: "pull", agent_id: "a1", account: "bob" },
  { type: "accept", agent_id: "a1" },
  { type: "submit", agent_id: "a1", result: work() },
  { type: "nothing-to-open", round: 1 },
  { type: "judged", round: 1, attempt: 1, sha: null, verdict: "none", reasons: [] },
];

async function tell(...commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    const handled = await server.engine.handle(id, command);
    if (!handled.ok) throw new Error(handled.refusal.sentence);
  }
}

beforeEach(async () => {
  clock = handClock();
  server = await startServer({ clock });
  const keyOf = async (account: string): Promise<string> =>
    ((await server.ask("POST", "/api/keys", { body: { account, repository: "*" } })).body as { key: string }).key;
  [ada, bob, eve] = await Promise.all(["ada", "bob", "eve"].map(keyOf));
  await server.ask("POST", "/api/wallet/credit", { body: { account: "ada", amount_cents: 500 } });
  const origin = { kind: "rest", dialect: "market", key_id: null } as const;
  const { id: _, ...rest } = draft({ runner: "market", origin, price_cents: 500 });
  const made = await server.engine.create(rest);
  if (!made.ok) throw new Error(made.refusal.sentence);
  id = made.job.id;
});
afterEach(() => server.close());

const decide = (
  what: "approve" | "reject-work" | "run-checks",
  key: string | undefined,
  body: unknown = {},
  more = {},
) => server.ask("POST", `/api/jobs/${id}/${what}`, { key: key ?? null, body, headers: { ...more } });

const balance = async (key: string | undefined): Promise<unknown> =>
  ((await server.ask("GET", "/api/wallet/balance", { key: key ?? null })).body as { balance_cents: number })
    .balance_cents;

it("pays one of two jobs for one pull request, whoever comes first, and sends the other back", async () => {
  await server.ask("POST", "/api/wallet/credit", { body: { account: "ada", amount_cents: 500 } });
  const origin = { kind: "rest", dialect: "market", key_id: null } as const;
  const { id: _, ...rest } = draft({ runner: "market", origin, price_cents: 500 });
  const made = await server.engine.create(rest);
  if (!made.ok) throw new Error(made.refusal.sentence);
  const first = id;
  await tell(...WORDS.slice(0, 3));
  id = made.job.id;
  await tell(...WORDS.slice(0, 3));
  const opened = { type: "pull-request-opened", round: 1, number: 7, url: "u", head_sha: "d".repeat(40) } as const;
  const merged = { type: "merged", pull_request: 7, by: "ada", by_id: 1, at: clock.now() } as const;
  await Promise.all([first, made.job.id].map((job) => server.engine.handle(job, opened)));
  await Promise.all([first, made.job.id].map((job) => server.engine.handle(job, merged)));
  const statuses = [first, made.job.id].map(async (job) => (await server.store.jobs.load(job))?.job.status);
  expect((await Promise.all(statuses)).toSorted()).toEqual(["queued", "verified"]);
  expect(await balance(bob)).toBe(350);
});

describe("the sender's word over REST", () => {
  it("approves submitted work once, and the worker is paid", async () => {
    await tell(...WORDS);
    expect(await decide("approve", ada)).toMatchObject({ status: 200, body: { id, status: "verified" } });
    expect(await decide("approve", ada)).toMatchObject({ status: 200, body: { status: "verified" } });
    expect(await balance(bob)).toBe(350);
    expect(await decide("reject-work", ada)).toMatchObject({ status: 400, body: { code: "wrong_status" } });
  });

  it("rejects it with a reason for the next attempt, and the second time the price comes back", async () => {
    await tell(...WORDS);
    const reason = "The second half is missing.";
    const once = await decide("reject-work", ada, { reason }, { "idempotency-key": "one" });
    expect(once).toMatchObject({ status: 200, body: { status: "queued", failure: expect.stringContaining(reason) } });
    expect(await decide("reject-work", ada, { reason }, { "idempotency-key": "one" })).toMatchObject({
      body: once.body,
    });
    await tell(...WORDS.slice(0, 4));
    expect(await decide("reject-work", ada)).toMatchObject({ body: { status: "failed" } });
    expect([await balance(ada), await balance(bob)]).toEqual([500, 0]);
  });

  it("lets a worker's files run when the sender says so, and nobody else", async () => {
    server.github.market = { enabled: true, run_checks: "ask" };
    server.github.opens = true;
    const submission = { parcel: null, files: ["a.txt"], attachments: [], pull_request: null };
    await tell(...WORDS.slice(0, 2));
    expect(await decide("run-checks", ada)).toMatchObject({ status: 400, body: { code: "wrong_status" } });
    await tell({ type: "submit", agent_id: "a1", result: work(), submission });
    const url = "https://github.com/octo/demo/commit/1";
    await tell({ type: "files-shown", round: 1, attempt: 1, sha: "1".repeat(40), url });
    expect(await server.ask("GET", `/api/jobs/${id}`, { key: ada ?? null })).toMatchObject({ body: { diff_url: url } });
    expect(await decide("run-checks", bob)).toMatchObject({ status: 403 });
    expect(await decide("run-checks", eve)).toMatchObject({ status: 404 });
    expect(await decide("run-checks", ada, { commit: "2".repeat(10) })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("1".repeat(40)) },
    });
    expect(await decide("run-checks", ada, { commit: "1".repeat(10) })).toMatchObject({
      status: 200,
      body: { status: "submitted", diff_url: null },
    });
    await until("the pull request", async () => (await server.store.jobs.load(id))?.job.pull_request !== null);
  });

  it.each(["approve", "reject-work"] as const)("to %s is nobody else's, and of nothing else", async (what) => {
    expect(await decide(what, ada)).toMatchObject({ status: 400, body: { code: "wrong_status" } });
    await tell(...WORDS);
    expect(await decide(what, bob)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect(await decide(what, eve)).toMatchObject({ status: 404 });
    expect(await decide(what, undefined)).toMatchObject({ status: 401 });
    expect(await server.ask("POST", `/api/jobs/zzzzzzzz/${what}`, { body: {} })).toMatchObject({ status: 404 });
  });

  it("names a reason that is none", async () => {
    await tell(...WORDS);
    const wrong = await decide("reject-work", ada, { reason: 7 });
    expect(wrong).toMatchObject({ status: 400, body: { error: "reason: must be a string." } });
  });

  it("shows until when silence is no yes, and takes no objection after that", async () => {
    await tell(...WORDS);
    const { body } = await server.ask("GET", `/api/jobs/${id}`, { key: ada ?? null });
    const { approved_from, submitted_at } = body as { approved_from: string; submitted_at: string };
    expect(Date.parse(approved_from) - Date.parse(submitted_at)).toBe(SENDER_LIMIT_MS);
    clock.pass(SENDER_LIMIT_MS);
    const late = await decide("reject-work", ada);
    expect(late).toMatchObject({ status: 400, body: { code: "wrong_status" } });
    expect(await balance(bob)).toBe(350);
  });
});
