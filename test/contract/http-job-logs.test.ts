import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { JobId } from "../../src/domain/job/job.ts";
import { MAX_STREAM_MS, STALLED_MS } from "../../src/job-log/follower.ts";
import { CHECK_MS, HEARTBEAT_MS, MAX_FOR_ACCOUNT } from "../../src/job-log/live-logs.ts";
import { dataFolder } from "../data-folder.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { briefPushed, draft, resultRead, runChanged, work } from "../unit/job-fixtures.ts";
import { openStream, type Stream } from "./event-stream.ts";
import { API_KEY, startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
let clock: HandClock;
let dir: string;
let streams: Stream[];

beforeEach(async () => {
  dir = dataFolder("logs-");
  clock = handClock();
  streams = [];
  server = await startServer({ clock, dir });
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const TIMEOUT_MS = 20_000;

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function follow(id: string, options: { key?: string; after?: string; paused?: boolean } = {}): Promise<Stream> {
  const headers = {
    "x-api-key": options.key ?? API_KEY,
    ...(options.after === undefined ? {} : { "last-event-id": options.after }),
  };
  const stream = await openStream(`${server.url}/api/jobs/${id}/logs`, headers, options.paused);
  streams.push(stream);
  return stream;
}

const PULL: Command = { type: "pull", agent_id: "a1", account: "bob" };
const ACCEPT: Command = { type: "accept", agent_id: "a1" };
const SUBMIT: Command = { type: "submit", agent_id: "a1", result: work() };
const APPROVE: Command = { type: "approve", account: "ada", by: { account: "ada", login: null }, comment_id: null };
const WORDS_ALONE: Command = { type: "nothing-to-open", round: 1 };

async function create(): Promise<JobId> {
  const { id: _, ...rest } = draft({
    runner: "market",
    origin: { kind: "rest", dialect: "market", key_id: null },
    price_cents: 0,
  });
  const made = await server.engine.create(rest);
  if (!made.ok) throw new Error(made.refusal.sentence);
  return made.job.id;
}

async function tell(id: JobId, ...commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    const handled = await server.engine.handle(id, command);
    if (!handled.ok) throw new Error(handled.refusal.sentence);
  }
}

const judged: Command = {
  type: "judged",
  round: 1,
  attempt: 1,
  sha: null,
  verdict: "unsure",
  reasons: ["Is that all?"],
};

async function keyOf(account: string, scopes = ["read"]): Promise<string> {
  const { body } = await server.ask("POST", "/api/keys", { body: { account, repository: "*", scopes } });
  return (body as { key: string }).key;
}

const names = (stream: Stream): unknown[] => stream.events.map(({ data }) => data.event);

describe("following a job's log", () => {
  it("tells what was, what happens, and ends with the job", async () => {
    const id = await create();
    const stream = await follow(id);
    expect(stream).toMatchObject({
      status: 200,
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache, no-transform" },
    });
    await until("the beginning", () => stream.events.length === 1);
    await tell(id, PULL, ACCEPT, SUBMIT, WORDS_ALONE, judged, APPROVE);
    await until("the end", () => stream.ended() !== null);
    expect(names(stream)).toEqual([
      ...["created", "held", "accepted", "submitted", "judged", "checked", "verified", undefined],
    ]);
    expect(stream.events[4]?.data).toMatchObject({
      from: "submitted",
      to: "submitted",
      note: "unsure\n- Is that all?",
    });
    expect(stream.events.at(-1)).toMatchObject({ event: "end", data: { status: "verified", merged_at: null } });
    expect(stream.ended()).toBe("ended");
  });

  it("ends where the agent asks, and goes on from there with the answer", async () => {
    const { id: _, ...rest } = draft({ origin: { kind: "rest", dialect: "agent-v2", key_id: null } });
    const job = await server.engine.create(rest);
    if (!job.ok) throw new Error(job.refusal.sentence);
    const { id } = job.job;
    const run = (change: object) => ({ ...runChanged(change), commit_message: `Run job ${id}` }) as Command;
    await tell(id, briefPushed(), run({}), run({ status: "completed", conclusion: "success" }));
    await tell(id, resultRead({ outcome: "question", changed_files: [] }));
    const stream = await follow(id);
    await until("the end", () => stream.ended() !== null);
    const end = stream.events.at(-1);
    expect(end).toMatchObject({ event: "end", data: { status: "waiting_for_user", outcome: "question" } });
    await tell(id, { type: "message", text: "blue", by: { account: "ada", login: null }, comment_id: null });
    const next = await follow(id, { after: end?.id ?? "" });
    await until("the next round", () => next.events.length > 0);
    expect(next.events[0]?.data).toMatchObject({ from: "waiting_for_user", to: "queued", note: "Round 2" });
  });

  it("tells all of it to who comes when it is over, and nothing to who has all of it", async () => {
    const id = await create();
    await tell(id, { type: "cancel", by: { account: "ada", login: null } });
    const late = await follow(id);
    await until("the end", () => late.ended() !== null);
    expect(late.events.map(({ event }) => event)).toEqual(["history", "history", "end"]);
    expect((await follow(id, { after: late.events.at(-1)?.id ?? "" })).status).toBe(204);
    const again = await follow(id, { after: late.events[0]?.id ?? "" });
    await until("the end again", () => again.ended() !== null);
    expect(again.events).toEqual(late.events.slice(1));
  });

  it("goes on after the last id, exactly, also when the server was restarted meanwhile", async () => {
    const id = await create();
    await tell(id, PULL, ACCEPT);
    const first = await follow(id);
    await until("three events", () => first.events.length === 3);
    await server.close();
    await until("the stream to end", () => first.ended() !== null);
    expect(first.rest.at(-1)).toContain("retry: 1000");
    server = await startServer({ clock, dir });
    await tell(id, SUBMIT);
    for (const [index, { id: after }] of first.events.entries()) {
      const next = await follow(id, { after });
      await until("what was missed", () => next.events.length === 3 - index);
      expect([...first.events.slice(0, index + 1), ...next.events].map((one) => one.data.event)).toEqual([
        ...["created", "held", "accepted", "submitted"],
      ]);
    }
  });

  it("begins anew for an id that it has never given out", async () => {
    const id = await create();
    for (const after of ["99.0.0", "x", "0.7.1", "-1.0.0", ""]) {
      const stream = await follow(id, { after });
      await until("the beginning", () => stream.events.length === 1);
      expect(names(stream)).toEqual(["created"]);
    }
  });

  it("tells the agent's lines between the rows of the history, in the order of time", async () => {
    const id = await create();
    await tell(id, PULL, ACCEPT);
    // else the lines may be of the same millisecond
    clock.pass(1_000);
    const line = (seq: number, text: string) => ({
      seq,
      at: new Date(clock.now()).toISOString(),
      level: "info" as const,
      text,
    });
    const log = [line(1, "first"), line(2, "ghp_0123456789abcdef0123"), line(2, "twice"), line(3, "last")];
    await server.store.jobLog.keep(id, 1, log);
    clock.pass(1_000);
    await tell(id, SUBMIT);
    const stream = await follow(id);
    await until("seven events", () => stream.events.length === 7);
    expect(stream.events.map(({ data }) => data.text ?? data.event)).toEqual([
      ...["created", "held", "accepted", "first", "[secret]", "last", "submitted"],
    ]);
    const rest = await follow(id, { after: stream.events[3]?.id ?? "" });
    await until("the rest", () => rest.events.length === 3);
    expect(rest.events).toEqual(stream.events.slice(4));
  });
});

describe("who may follow", () => {
  it("the sender, the holder while it holds, and the worker; nobody else, and nobody without the scope", async () => {
    const id = await create();
    const [ada, bob, eve] = await Promise.all(["ada", "bob", "eve"].map((account) => keyOf(account)));
    const status = async (key = ""): Promise<number> => (await follow(id, { key })).status;
    expect(await Promise.all([ada, bob, eve].map(status))).toEqual([200, 404, 404]);
    await tell(id, PULL);
    expect(await Promise.all([ada, bob, eve].map(status))).toEqual([200, 200, 404]);
    await tell(id, ACCEPT);
    expect(await Promise.all([ada, bob, eve].map(status))).toEqual([200, 200, 404]);
    expect(await status(await keyOf("ada", ["write"]))).toBe(403);
    expect((await server.ask("GET", "/api/jobs/zzzzzzzz/logs")).status).toBe(404);
  });

  it("who gives the job back receives no more of it", async () => {
    const id = await create();
    await tell(id, PULL);
    const stream = await follow(id, { key: await keyOf("bob") });
    await until("the hold", () => stream.events.length === 2);
    await tell(id, { type: "reject", agent_id: "a1" });
    await until("the end", () => stream.ended() !== null);
    expect(names(stream)).toEqual(["created", "held"]);
  });

  it("whose key is revoked receives nothing from then on, and is let go within seconds", async () => {
    const id = await create();
    const newKey = await server.ask("POST", "/api/keys", {
      body: { account: "ada", repository: "*", scopes: ["read"] },
    });
    const { id: key_id, key } = newKey.body as { id: string; key: string };
    const [follower, waits, other] = await Promise.all([
      follow(id, { key }),
      follow(id, { key }),
      follow(await create(), { key }),
    ]);
    await until("the beginning", () => [follower, waits, other].every(({ events }) => events.length === 1));
    expect((await server.ask("DELETE", `/api/keys/${key_id}`)).status).toBe(204);
    await tell(id, PULL);
    await until("the end", () => follower.ended() !== null && waits.ended() !== null);
    expect([names(follower), names(waits), other.ended()]).toEqual([["created"], ["created"], null]);
    clock.pass(CHECK_MS);
    await until("the other end", () => other.ended() !== null);
  });

  it("so many for one account and no more; a place is free again when one leaves", async () => {
    const id = await create();
    const key = await keyOf("ada");
    const all = await Promise.all(Array.from({ length: MAX_FOR_ACCOUNT }, () => follow(id, { key })));
    const refused = await follow(id, { key });
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "60" } });
    expect((await follow(id)).status).toBe(200);
    all[0]?.close();
    for (;;) if ((await follow(id, { key })).status === 200) break;
  });
});

describe("readers and time", () => {
  it("HEAD is told the headers at once, and takes no place", async () => {
    const id = await create();
    for (let asked = 0; asked <= MAX_FOR_ACCOUNT; asked++) {
      const headers = { "x-api-key": API_KEY };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const answer = await fetch(`${server.url}/api/jobs/${id}/logs`, { method: "HEAD", headers, signal });
      expect([answer.status, answer.headers.get("content-type")?.split(";")[0]]).toEqual([200, "text/event-stream"]);
    }
  });

  it("gives a sign of life, and ends a stream after an hour", async () => {
    const id = await create();
    const stream = await follow(id);
    await until("the beginning", () => stream.events.length === 1);
    const signs = () => stream.rest.filter((text) => text.startsWith(":")).length;
    clock.pass(HEARTBEAT_MS);
    await until("a sign of life", () => signs() === 1);
    clock.pass(HEARTBEAT_MS);
    await until("another", () => signs() === 2);
    clock.pass(MAX_STREAM_MS);
    await until("the end", () => stream.ended() !== null);
    expect(stream.rest.at(-1)).toContain("retry:");
  });

  it("holds back what a reader does not take, brings it when it reads again, and cuts one that never does", async () => {
    const id = await create();
    await tell(id, PULL, ACCEPT);
    const at = new Date(clock.now()).toISOString();
    const log = Array.from({ length: 2_000 }, (_, index) => ({
      ...{ seq: index + 1, at, level: "info" as const, text: `${index} ${"x".repeat(4_000 - 8)}` },
    }));
    await server.store.jobLog.keep(id, 1, log);
    const slow = await Promise.all(Array.from({ length: 20 }, () => follow(id, { paused: true })));
    const reading = await follow(id);
    await until("the one that reads", () => reading.events.length === 2_003);
    const [reader, ...rest] = slow;
    reader?.resume();
    await until("the one that reads again", () => reader?.events.length === 2_003);
    clock.pass(STALLED_MS + HEARTBEAT_MS);
    clock.pass(STALLED_MS);
    for (const one of rest) one.resume();
    await until("the cut", () => rest.every((one) => one.ended() === "cut"));
    expect(rest.every((one) => one.events.length < 2_003)).toBe(true);
    const last = rest[0]?.events.at(-1);
    const back = await follow(id, { after: last?.id ?? "" });
    await until("what was missed", () => back.events.length === 2_003 - (rest[0]?.events.length ?? 0));
    expect(reading.ended()).toBeNull();
  });
});
