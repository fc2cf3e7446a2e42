import { rm } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LogLine, MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import { Secret } from "../../src/contracts/secret.ts";
import type { PushTokens } from "../../src/engine/ports/runs.ts";
import { createRunTokens } from "../../src/github/client/run-tokens.ts";
import { WRONG_KEYS_PER_MINUTE } from "../../src/http/middleware/wrong-key-throttling.ts";
import { MAX_BODY_BYTES, RESULTS_PER_JOB, RUN_REQUESTS_PER_JOB } from "../../src/http/routing/limits.ts";
import { dataFolder } from "../data-folder.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { openStream, type Stream } from "./event-stream.ts";
import {
  BRIEF_SHA,
  claimsOf,
  type Issuer,
  jobIdOf,
  queueJob,
  RUN_ID,
  runNews,
  startIssuer,
  startRun,
} from "./http-runs-harness.ts";
import { API_KEY, type Asked, startServer, type TestServer } from "./http-server.ts";

const AUDIENCE = "https://journeyman.example";
const PUSH_TOKEN = "ghs_1_thisIsTheTokenThatIsPushedWith";
const CLEAN_SHA = "c".repeat(40);
const TIMEOUT_MS = 20_000;

const clock: HandClock = handClock();
let issuer: Issuer;
let server: TestServer;
let dir: string;
let tokensCreated: { repository: string; id: number }[];
let createsTokens: boolean;
let id: string;
const streams: Stream[] = [];

const push_tokens: PushTokens = {
  async create({ owner, name }, repository_id) {
    if (!createsTokens) throw new Error("GitHub is away");
    tokensCreated.push({ repository: `${owner}/${name}`, id: repository_id });
    return { token: new Secret(PUSH_TOKEN), expires_at: "2030-01-31T13:00:00Z" };
  },
};

const start = async (): Promise<TestServer> => {
  const run_tokens = createRunTokens({ issuer: issuer.url, audience: AUDIENCE, now: clock.now });
  return startServer({ clock, dir, run_tokens, push_tokens, trust_proxy: 1 });
};

beforeAll(async () => {
  issuer = await startIssuer(AUDIENCE, clock.now);
});
afterAll(() => issuer.close());
beforeEach(async () => {
  dir = dataFolder("runs-");
  tokensCreated = [];
  createsTokens = true;
  server = await start();
  id = await startRun(server);
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  ...{ seq, at: new Date(clock.now()).toISOString(), level: "info", text },
});
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index));

const RESULT = { version: 1, outcome: "done", title: "Say hello", body: "It says hello.", model: "m", cost_cents: 2 };
const handIn = (change: object = {}): object => ({
  ...{ result: RESULT, log: lines(1, 3), changed_files: ["HELLO.md"] },
  ...change,
});

let addresses = 0;
/** From an address of its own, so that wrong tokens of one request do not count against another. */
function post(
  what: "log" | "result",
  body: unknown,
  token: string | null,
  options: { job?: string; from?: string } = {},
) {
  const { job = id, from = `10.0.${Math.floor(addresses++ / 250)}.${addresses % 250}` } = options;
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const headers = { "x-forwarded-for": from, ...authorization };
  return server.ask("POST", `/api/runs/${job}/${what}`, { key: null, body, headers });
}

const token = (change: object = {}): Promise<string> => issuer.sign({ ...claimsOf(id), ...change });
const said = ({ status, body }: Asked): string => `${status} ${Object(body).code ?? ""}`.trim();
const stored = async () => (await server.store.jobs.load(jobIdOf(id))) ?? Promise.reject(new Error("no such job"));
const keptLog = async () => (await server.store.jobLog.read(jobIdOf(id)))?.lines ?? [];
const statusLog = async (): Promise<string | null> =>
  Object((await server.ask("GET", `/api/jobs/status?job_id=${id}`)).body).log;

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function follow(after?: string): Promise<Stream> {
  const headers = { "x-api-key": API_KEY, ...(after === undefined ? {} : { "last-event-id": after }) };
  const stream = await openStream(`${server.url}/api/jobs/${id}/logs`, headers);
  streams.push(stream);
  return stream;
}
const linesOf = (stream: Stream): unknown[] =>
  stream.events.filter(({ event }) => event === "log").map(({ data }) => data.text);

describe("a token", () => {
  const ref = "refs/heads/job/zzzzzzzz";
  const file = "octocat/hello-world/.github/workflows";

  it.each<[string, object, string]>([
    ["another repository", { repository_id: 4_712 }, "404 not_found"],
    ["another branch", { ref: "refs/heads/main" }, "404 not_found"],
    ["the branch of another job", { ref }, "404 not_found"],
    ["a tag of that name", { ref: "refs/tags/job/ab12cd34" }, "404 not_found"],
    ["another run", { run_id: RUN_ID + 1 }, "404 not_found"],
    ["an attempt that is not known yet", { run_attempt: 2 }, "409 run_unknown"],
    ["a pull request", { event_name: "pull_request" }, "404 not_found"],
    ["an event of the sort that forks bring about", { event_name: "pull_request_target" }, "404 not_found"],
    ["another workflow", { workflow_ref: `${file}/ci.yml@${ref}` }, "404 not_found"],
    ["a workflow of another ref", { workflow_ref: `${file}/run-job.yml@refs/heads/main` }, "404 not_found"],
    ["a workflow of a like name", { workflow_ref: `${file}/not-run-job.yml@${ref}` }, "404 not_found"],
    ["a called workflow", { job_workflow_ref: `evil/evil/.github/workflows/x.yml@${ref}` }, "404 not_found"],
    ["no run", { run_id: "none" }, "401 unauthorized"],
    ["no repository", { repository_id: "" }, "401 unauthorized"],
    ["another audience", { aud: "https://elsewhere.example" }, "401 unauthorized"],
    ["another issuer", { iss: "https://token.actions.githubusercontent.com" }, "401 unauthorized"],
    ["a time that is over", { exp: 1_000 }, "401 unauthorized"],
    ["a time that has not come", { nbf: 99_999_999_999 }, "401 unauthorized"],
  ])("of %s opens nothing", async (_, change, expected) => {
    const bad = await token(change);
    expect(said(await post("log", { lines: [line(1)] }, bad))).toBe(expected);
    expect(said(await post("result", handIn(), bad))).toBe(expected);
    expect([tokensCreated, (await stored()).job.result, await statusLog()]).toEqual([[], null, null]);
  });

  it("is taken up to half a minute after its time, since clocks differ", async () => {
    const seconds = Math.floor(clock.now() / 1_000);
    expect(said(await post("log", { lines: [line(1)] }, await token({ exp: seconds - 20 })))).toBe("200");
    expect(said(await post("log", { lines: [line(1)] }, await token({ exp: seconds - 40 })))).toBe("401 unauthorized");
  });

  it("is taken from a run that was dispatched, too", async () => {
    const dispatched = await token({ event_name: "workflow_dispatch" });
    expect(said(await post("log", { lines: [line(1)] }, dispatched))).toBe("200");
  });

  it("is nothing unless the issuer has signed it, by its own algorithm", async () => {
    const good = await token();
    const [head = "", body = "", signature = ""] = good.split(".");
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const none = part({ alg: "none", typ: "JWT" });
    const { createHmac } = await import("node:crypto");
    const hs = part({ alg: "HS256", kid: "k1" });
    const secret = JSON.stringify(issuer.jwk);
    const bad = [
      ["of another key", await issuer.forge(claimsOf(id))],
      ["unsigned", `${none}.${body}.`],
      ["unsigned, with a signature", `${none}.${body}.${signature}`],
      [
        "by the public key as a secret",
        `${hs}.${body}.${createHmac("sha256", secret).update(`${hs}.${body}`).digest("base64url")}`,
      ],
      [
        "changed",
        `${head}.${part({ ...claimsOf(id), aud: AUDIENCE, iss: issuer.url, exp: 99_999_999_999 })}.${signature}`,
      ],
      [
        "with a key of its own",
        await issuer.forge(claimsOf(id)).then((one) => one.replace(/^[^.]+/, part({ alg: "RS256", jwk: issuer.jwk }))),
      ],
      ["cut", good.slice(0, -10)],
      ["no token", "x"],
      ["dots", "..."],
      ["an API key", API_KEY],
      ["long", "a".repeat(9_000)],
    ] as const;
    for (const [name, one] of bad)
      expect([name, said(await post("log", { lines: [line(1)] }, one))]).toEqual([name, "401 unauthorized"]);
    const missing = await post("log", { lines: [line(1)] }, null);
    expect([said(missing), missing.headers.get("www-authenticate")]).toEqual(["401 unauthorized", "Bearer"]);
  });

  it("is refused and never our fault, whatever stands in it", async () => {
    const tokens = createRunTokens({ issuer: issuer.url, audience: AUDIENCE, now: clock.now });
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? "").toString("base64url");
    const header = fc.oneof(
      fc.jsonValue(),
      fc.record({
        alg: fc.oneof(fc.constantFrom("RS256", "ES256", "none", "HS256"), fc.jsonValue()),
        kid: fc.oneof(fc.constantFrom("k1", "k2"), fc.jsonValue()),
        crit: fc.oneof(fc.constant(undefined), fc.jsonValue()),
        b64: fc.oneof(fc.constant(undefined), fc.boolean()),
      }),
    );
    const shaped = fc
      .tuple(header, fc.jsonValue(), fc.base64String())
      .map(([head, body, signature]) => `${part(head)}.${part(body)}.${signature}`);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), shaped), async (text) => {
        expect(await tokens.verify(text)).toEqual({ kind: "invalid" });
      }),
      { numRuns: 300 },
    );
    // signed, and yet of no run
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom("run_id", "ref", "repository_id", "job_workflow_ref"), fc.jsonValue()),
        async (odd) => {
          const { kind } = await tokens.verify(await issuer.sign({ ...claimsOf(id), run_attempt: "0", ...odd }));
          expect(kind).toBe("invalid");
        },
      ),
      { numRuns: 20 },
    );
  });

  it("does not tell a job of somebody else's from none", async () => {
    const foreign = await token({ repository_id: 1 });
    const [theirs, none, odd] = [
      await post("log", { lines: [line(1)] }, foreign),
      await post("log", { lines: [line(1)] }, foreign, { job: "zzzzzzzz" }),
      await post("log", { lines: [line(1)] }, foreign, { job: "no-job" }),
    ];
    expect([none.body, odd.body]).toEqual([theirs.body, theirs.body]);
  });

  it("that is wrong is slowed like a wrong key, and a good one from the same address goes on", async () => {
    const from = "10.9.9.9";
    const good = await token();
    expect(said(await post("log", { lines: [line(1)] }, good, { from }))).toBe("200");
    const foreign = await token({ run_id: RUN_ID + 1 });
    const seen = [];
    for (let count = 0; count < WRONG_KEYS_PER_MINUTE; count++)
      seen.push(said(await post("log", { lines: [line(1)] }, count % 2 === 0 ? "x" : foreign, { from })));
    expect(new Set(seen)).toEqual(new Set(["401 unauthorized", "404 not_found"]));
    const turned = await post("log", { lines: [line(1)] }, foreign, { from });
    expect([said(turned), Number(turned.headers.get("retry-after")) > 0]).toEqual(["429 too_many_guesses", true]);
    expect(said(await post("log", { lines: [line(2)] }, good, { from }))).toBe("200");
  });

  it("of an unknown key does not have GitHub asked again and again", async () => {
    expect(said(await post("log", { lines: [line(1)] }, await token()))).toBe("200");
    const before = issuer.asked();
    for (let count = 0; count < 10; count++) {
      const strange = await issuer.sign(claimsOf(id), { kid: `k${count + 2}` });
      expect(said(await post("log", { lines: [line(1)] }, strange))).toBe("401 unauthorized");
    }
    expect(issuer.asked()).toBe(before);
  });

  it("is asked for again while GitHub's keys cannot be read, which is tried no more often than every few seconds", async () => {
    issuer.status = 500;
    const before = issuer.asked();
    for (let count = 0; count < 5; count++) {
      const answer = await post("log", { lines: [line(1)] }, await token());
      expect([said(answer), answer.headers.get("retry-after")]).toEqual(["503 github_unavailable", "5"]);
    }
    expect(issuer.asked()).toBe(before + 1);
    issuer.status = 200;
    clock.pass(6_000);
    expect(said(await post("log", { lines: [line(1)] }, await token()))).toBe("200");
  });
});

describe("a run", () => {
  it("is asked to come again while its webhook is on its way, and then taken", async () => {
    id = await queueJob(server);
    const early = await post("log", { lines: [line(1)] }, await token());
    expect([said(early), early.headers.get("retry-after")]).toEqual(["409 run_unknown", "2"]);
    await runNews(server, id, { status: "queued" });
    expect(said(await post("result", handIn(), await token()))).toBe("409 run_unknown");
    await runNews(server, id);
    expect(said(await post("log", { lines: [line(1)] }, await token()))).toBe("200");
    expect(tokensCreated).toEqual([]);
  });

  it("is told to stop when it has ended, whatever it was given before", async () => {
    const used = await token();
    expect(said(await post("result", handIn(), used))).toBe("200");
    await runNews(server, id, { status: "completed", conclusion: "success" });
    for (const one of [used, await token()]) {
      const late = await post("result", handIn(), one);
      expect([said(late), late.headers.get("retry-after")]).toEqual(["409 over", null]);
      expect(said(await post("log", { lines: [line(9)] }, one))).toBe("409 over");
    }
    expect(tokensCreated).toHaveLength(1);
  });

  it("is told to stop when its attempt has failed, the next attempt's run is not", async () => {
    await runNews(server, id, { status: "completed", conclusion: "cancelled" });
    await until("the next brief", async () => (await stored()).job.brief_sha !== null);
    expect(said(await post("result", handIn(), await token()))).toBe("409 over");
    expect(said(await post("log", { lines: [line(1)] }, await token({ run_id: RUN_ID + 1 })))).toBe("409 run_unknown");
    await runNews(server, id, { id: RUN_ID + 1 });
    expect(said(await post("log", { lines: [line(1)] }, await token({ run_id: RUN_ID + 1 })))).toBe("200");
    expect(said(await post("log", { lines: [line(1)] }, await token()))).toBe("409 over");
  });

  it("is told to stop when the job was cancelled before it began", async () => {
    id = await queueJob(server);
    await server.engine.handle(jobIdOf(id), { type: "cancel", by: { account: "admin", login: null } });
    expect(said(await post("log", { lines: [line(1)] }, await token()))).toBe("409 over");
  });

  it("cannot report where the server has no address of its own", async () => {
    const other = await startServer();
    const answer = await other.ask("POST", `/api/runs/${id}/log`, { key: null, body: { lines: [line(1)] } });
    expect([said(answer), Object(answer.body).error]).toEqual([
      "501 not_set_up",
      expect.stringContaining("PUBLIC_URL"),
    ]);
    await other.close();
  });

  it("may not send without end", async () => {
    const one = await token();
    const from = "10.8.8.8";
    const seen = [];
    for (let count = 0; count < RESULTS_PER_JOB + 1; count++)
      seen.push(said(await post("result", handIn(), one, { from })));
    expect(seen.at(-1)).toBe("429 rate_limited");
    for (let count = seen.length; count < RUN_REQUESTS_PER_JOB; count++)
      expect((await post("log", { lines: [line(1)] }, one, { from })).status).toBe(200);
    expect(said(await post("log", { lines: [line(1)] }, one))).toBe("429 rate_limited");
  });
});

describe("lines of a running job", () => {
  const report = async (some: LogLine[]): Promise<unknown> =>
    Object((await post("log", { lines: some }, await token())).body).received;

  it("are shown at once, redacted, each once, and cost no commit", async () => {
    const { version } = await stored();
    expect(await report(lines(1, 3))).toBe(3);
    expect(await report([line(2, "again"), line(3, "again"), line(4, "key sk-ant-0123456789abcdefghij")])).toBe(4);
    expect(await statusLog()).toBe("line 1\nline 2\nline 3\nkey [secret]");
    // one for the update of the check run that is to come, whatever follows
    expect((await stored()).version).toBe(version + 1);
    for (let seq = 5; seq < 60; seq += 5) expect(await report(lines(seq, seq + 4))).toBe(seq + 4);
    expect((await stored()).version).toBe(version + 1);
    expect(JSON.stringify(await stored())).not.toContain("line 1");
  });

  it("change the tag of the status", async () => {
    const tag = async () => (await server.ask("GET", `/api/jobs/status?job_id=${id}`)).headers.get("etag");
    await report([line(1)]);
    const first = await tag();
    await report([line(2)]);
    expect(await tag()).not.toBe(first);
  });

  it("are bounded, and the newest stay", async () => {
    for (let from = 1; from < 3 * MAX_LOG_LINES; from += 200) await report(lines(from, from + 199));
    const kept = (await statusLog())?.split("\n") ?? [];
    expect(kept.at(-1)).toBe(`line ${3 * MAX_LOG_LINES}`);
    expect(kept.length).toBeLessThanOrEqual(2 * MAX_LOG_LINES);
  });

  it("reach whoever follows, who goes on with the stored log without a double", async () => {
    const stream = await follow();
    await report(lines(1, 3));
    await until("the first lines", () => linesOf(stream).length === 3);
    await report(lines(4, 5));
    await until("the next ones", () => linesOf(stream).length === 5);
    const last = stream.events.at(-1)?.id;
    const log = [...lines(1, 5), line(6, "the last")];
    expect(said(await post("result", handIn({ log }), await token()))).toBe("200");
    await until("the stored one", () => linesOf(stream).length === 6);
    expect(linesOf(stream)).toEqual([...[1, 2, 3, 4, 5].map((seq) => `line ${seq}`), "the last"]);
    const again = await follow(last);
    await until("the rest", () => linesOf(again).length > 0);
    expect(linesOf(again)).toEqual(["the last"]);
  });

  it("outlive a restart: the run goes on where it was, and whoever followed misses none and gets no double", async () => {
    const stream = await follow();
    await report(lines(1, 4));
    await until("the lines", () => linesOf(stream).length === 4);
    const last = stream.events.at(-1)?.id;
    stream.close();
    await server.close();
    server = await start();
    const again = await follow(last);
    expect(await statusLog()).toBe("line 1\nline 2\nline 3\nline 4");
    expect(await report(lines(3, 6))).toBe(6);
    await until("the further lines", () => linesOf(again).length > 1);
    expect(linesOf(again)).toEqual(["line 5", "line 6"]);
    const late = await follow(stream.events.find(({ data }) => data.text === "line 2")?.id);
    await until("what the other one has", () => linesOf(late).length === 4);
    expect(linesOf(late)).toEqual(["line 3", "line 4", "line 5", "line 6"]);
  });

  it("outlive an attempt that ends without a result, under the number that they had", async () => {
    const stream = await follow();
    await report(lines(1, 3));
    await until("the lines", () => linesOf(stream).length === 3);
    await runNews(server, id, { status: "completed", conclusion: "cancelled" });
    expect((await keptLog()).map(({ text }) => text)).toEqual(["line 1", "line 2", "line 3"]);
    await runNews(server, id, { id: RUN_ID + 1 });
    id = (await stored()).job.id;
    await post("log", { lines: [line(1, "second attempt")] }, await token({ run_id: RUN_ID + 1 }));
    await until("the second attempt's", () => linesOf(stream).length === 4);
    expect(linesOf(stream)).toEqual(["line 1", "line 2", "line 3", "second attempt"]);
  });

  it.each([
    ["no lines", { lines: [] }],
    ["too many lines", { lines: Array.from({ length: 201 }, (_, index) => line(index + 1)) }],
    ["a line without a number", { lines: [{ at: "x", level: "info", text: "y" }] }],
    ["nothing", {}],
  ])("must be lines: %s", async (_, body) => {
    expect(said(await post("log", body, await token()))).toBe("400 invalid_field");
  });

  it("are read up to a size, and not at all from a stranger", async () => {
    const long = { lines: lines(1, 200).map((one) => ({ ...one, text: "x".repeat(MAX_BODY_BYTES / 150) })) };
    expect(said(await post("log", long, await token()))).toBe("413 body_too_large");
    expect(said(await post("log", long, "x"))).toBe("401 unauthorized");
  });
});

describe("a result that is handed in", () => {
  it("is kept with its log, and answered with a token that is kept nowhere", async () => {
    const body = handIn({ log: [line(1), line(2, `token ghs_${"x".repeat(30)}`)] });
    const answer = await post("result", body, await token());
    expect(answer).toMatchObject({ status: 200, body: { token: PUSH_TOKEN, expires_at: "2030-01-31T13:00:00Z" } });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { job } = await stored();
    expect(job).toMatchObject({
      status: "accepted",
      result: { outcome: "done", title: "Say hello", body: "It says hello.", changed_files: ["HELLO.md"] },
      // no header of the run action
      work: { handed_in: { run_id: RUN_ID, attempt: 1, clean_sha: null }, old_workflow: true },
    });
    expect((await keptLog()).map(({ text }) => text)).toEqual(["line 1", "token [secret]"]);
    expect(tokensCreated).toEqual([{ repository: "octocat/hello-world", id: 4_711 }]);
    expect(server.logged.join("")).not.toContain(PUSH_TOKEN);
    expect(JSON.stringify(await stored())).not.toContain(PUSH_TOKEN);
  });

  it("is redacted, told without the job's own files, and read as failed when it is none", async () => {
    const secret = `sk-ant-${"a".repeat(30)}`;
    const result = { ...RESULT, title: `T ${secret}`, body: `B ${secret}`, put_back: [".github/workflows/ci.yml"] };
    await post("result", handIn({ result, changed_files: ["a", `.jobs/${id}/x`] }), await token());
    expect((await stored()).job.result).toMatchObject({ title: "T [secret]", changed_files: ["a"] });
    expect((await stored()).job.result?.body).toMatch(/^B \[secret\]\n\nPut back, .*`\.github\/workflows\/ci\.yml`/);
    await post("result", handIn({ result: { outcome: "wonderful" } }), await token());
    expect((await stored()).job.result).toMatchObject({
      outcome: "failed",
      reason: "The agent's result could not be read.",
    });
  });

  it("may be handed in again while the run lives", async () => {
    for (const title of ["first", "second"]) {
      const answer = await post("result", handIn({ result: { ...RESULT, title } }), await token());
      expect(answer.status).toBe(200);
    }
    expect((await stored()).job.result?.title).toBe("second");
    expect(tokensCreated).toHaveLength(2);
  });

  it("is kept also when GitHub makes no token, and the run is told to come again", async () => {
    createsTokens = false;
    const answer = await post("result", handIn(), await token());
    expect([said(answer), answer.headers.get("retry-after")]).toEqual(["502 github_unavailable", "5"]);
    expect((await stored()).job.result?.title).toBe("Say hello");
    createsTokens = true;
    expect((await post("result", handIn(), await token())).status).toBe(200);
  });

  it("may be larger than other bodies, with a log whose end is kept", async () => {
    const log = lines(1, 1_000).map((one) => ({ ...one, text: `${one.seq} ${"x".repeat(3_000)}` }));
    expect((await post("result", handIn({ log }), await token())).status).toBe(200);
    const kept = await keptLog();
    expect(kept.at(-1)?.seq).toBe(1_000);
    expect(kept.length).toBeLessThan(200);
    const huge = handIn({ result: { ...RESULT, body: "x".repeat(9 * MAX_BODY_BYTES) } });
    expect(said(await post("result", huge, await token()))).toBe("413 body_too_large");
  });

  it("opens the pull request at the run's end with nothing read, once its push is known", async () => {
    server.github.opens = true;
    await post("result", handIn(), await token());
    await server.engine.handle(jobIdOf(id), { type: "head-moved", sha: CLEAN_SHA, clean: true });
    expect((await stored()).job).toMatchObject({ status: "accepted", head_sha: CLEAN_SHA });
    await runNews(server, id, { status: "completed", conclusion: "success" });
    await until("the pull request", async () => (await stored()).job.pull_request !== null);
    expect((await stored()).job.status).toBe("submitted");
  });

  it("is nothing yet without its push: the branch is looked at", async () => {
    await post("result", handIn(), await token());
    await server.engine.handle(jobIdOf(id), { type: "head-moved", sha: BRIEF_SHA });
    await runNews(server, id, { status: "completed", conclusion: "success" });
    expect((await stored()).job).toMatchObject({ status: "accepted", pull_request: null });
  });
});
