import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asJobId } from "../../src/domain/job/job.ts";
import { DUPLICATE_WAIT_MS, MAX_WAITING_DUPLICATES } from "../../src/http/routing/limits.ts";
import { dataFolder } from "../data-folder.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { type Asked, startServer, type TestServer } from "./http-server.ts";

let dir: string;
let clock: HandClock;
let server: TestServer;
const start = (): Promise<TestServer> => startServer({ dir, clock });
beforeEach(async () => {
  dir = dataFolder("idempotency-");
  clock = handClock();
  server = await start();
});
afterEach(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const task = { job: "Analyze recent error logs", repository: "octocat/hello" };
const create = (idempotency_key: string, options: { body?: unknown; key?: string } = {}): Promise<Asked> =>
  server.ask("POST", "/api/create-job", {
    body: task,
    ...options,
    headers: { "idempotency-key": idempotency_key },
  });
const isReplayed = ({ headers }: Asked): boolean => headers.get("idempotency-replayed") === "true";
const jobs = (): Promise<number> => server.store.jobs.count();

/** The branch is not pushed before this is called. */
function holdBranches(): () => void {
  let release = (): void => {};
  const released = new Promise<string>((resolve) => {
    release = () => resolve("done");
  });
  server.github.push = () => released;
  return release;
}

async function restart(): Promise<void> {
  await server.close();
  server = await start();
}

describe("a request that is sent again with its Idempotency-Key", () => {
  it("gets the same answer, marked as a replay, and makes no second job", async () => {
    const first = await create("k1");
    const second = await create("k1");
    expect(first.status).toBe(200);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect([isReplayed(first), isReplayed(second)]).toEqual([false, true]);
    expect(await jobs()).toBe(1);
  });

  it("gets the same answer from another process", async () => {
    const first = await create("k1");
    await restart();
    const second = await create("k1");
    expect([second.status, second.body, isReplayed(second)]).toEqual([200, first.body, true]);
    expect(await jobs()).toBe(1);
  });

  it("makes another job under another key, or without one", async () => {
    await create("k1");
    const other = await create("k2");
    expect([other.status, isReplayed(other)]).toEqual([200, false]);
    const none = await server.ask("POST", "/api/create-job", { body: task });
    expect([none.status, isReplayed(none)]).toEqual([200, false]);
    expect(await jobs()).toBe(3);
  });

  it("is told apart from the same key of another caller", async () => {
    await create("k1");
    const newKey = await server.ask("POST", "/api/keys", { body: { account: "other", repository: "*" } });
    const { key } = Object(newKey.body);
    expect(isReplayed(await create("k1", { key: String(key) }))).toBe(false);
    expect(await jobs()).toBe(2);
  });

  it("makes one job when twenty arrive at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create("k1")));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter((one) => !isReplayed(one))).toHaveLength(1);
    expect(answers[0]?.status).toBe(200);
    expect(await jobs()).toBe(1);
  });

  it("begins anew when a day has passed", async () => {
    await create("k1");
    clock.pass(24 * 3_600_000 - 60_000);
    expect(isReplayed(await create("k1"))).toBe(true);
    clock.pass(60_000);
    expect(isReplayed(await create("k1", { body: { ...task, job: "Another" } }))).toBe(false);
    expect(await jobs()).toBe(2);
  });

  it("means nothing to POST /api/keys, whose answer is never kept", async () => {
    const createKey = () =>
      server.ask("POST", "/api/keys", {
        body: { account: "ada", repository: "*" },
        headers: { "idempotency-key": "k1" },
      });
    const [first, second] = [await createKey(), await createKey()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(Object(first.body).key).not.toBe(Object(second.body).key);
  });
});

describe("a request whose first attempt broke off", () => {
  /** As in a crash: the work is done, and no answer was sent. */
  function loseOneAnswer(): void {
    const { idempotency } = server.store;
    const finish = idempotency.finish.bind(idempotency);
    idempotency.finish = async () => {
      idempotency.finish = finish;
      throw new Error("the disk is full");
    };
  }

  it.each([
    ["in this process", async () => {}],
    ["before a restart", restart],
  ])("gets the job that the first attempt made %s", async (_when, between) => {
    loseOneAnswer();
    expect(await create("k1")).toMatchObject({ status: 500, body: { code: "internal_error" } });
    const [made] = (await server.store.jobs.list({ limit: 10 })).jobs;
    await between();
    const second = await create("k1");
    expect(second).toMatchObject({ status: 200, body: { job_id: made?.id, branch: made?.branch } });
    expect(await create("k1")).toMatchObject({ status: 200, body: second.body });
    expect(await jobs()).toBe(1);
  });

  it("is not given to another body, since nobody knows how far it came", async () => {
    loseOneAnswer();
    await create("k1");
    expect(await create("k1", { body: { ...task, job: "Another" } })).toMatchObject({ status: 422 });
    expect(await jobs()).toBe(1);
  });

  it("creates once and takes a message once in the agent v2 dialect", async () => {
    const send = (path: string, key: string) =>
      server.ask("POST", `/v2/agent/octocat%2Fhello/${path}`, {
        body: { prompt: "Say hello" },
        headers: { "idempotency-key": key },
      });
    loseOneAnswer();
    expect((await send("job", "k1")).status).toBe(500);
    const created = await send("job", "k1");
    expect(created.status).toBe(201);
    const id = asJobId(String(Object(created.body).id));
    const messagesTaken = async () =>
      id === null ? null : (await server.store.jobs.load(id))?.job.waiting_messages.length;
    loseOneAnswer();
    expect((await send(`job/${id}/message`, "k2")).status).toBe(500);
    expect(await messagesTaken()).toBe(1);
    const [again, replay] = [await send(`job/${id}/message`, "k2"), await send(`job/${id}/message`, "k2")];
    expect([again.status, isReplayed(again), replay.status, isReplayed(replay)]).toEqual([200, false, 200, true]);
    expect(await messagesTaken()).toBe(1);
    await send(`job/${id}/message`, "k3");
    expect(await messagesTaken()).toBe(2);
    expect(await jobs()).toBe(1);
  });
});

describe("a request that differs from the first of its Idempotency-Key", () => {
  it.each([
    ["when the first is answered", async () => void (await create("k1"))],
    [
      "when the first was answered by another process",
      async () => {
        await create("k1");
        await restart();
      },
    ],
  ])("is refused %s", async (_when, before) => {
    await before();
    const other = await create("k1", { body: { ...task, job: "Another" } });
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    expect(await jobs()).toBe(1);
  });

  it("is refused at once while the first is still being worked on", async () => {
    const release = holdBranches();
    const first = create("k1");
    await expect.poll(jobs).toBe(1);
    const other = await create("k1", { body: { ...task, job: "Another" } });
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    release();
    expect((await first).status).toBe(200);
  });

  it.each([
    ["400", { job: 5 }],
    ["422", { ...task, repository: "else/where" }],
  ])("is taken when the first was answered with %s", async (status, wrong) => {
    server.github.installed = false;
    expect((await create("k1", { body: wrong })).status).toBe(Number(status));
    server.github.installed = true;
    expect(await create("k1")).toMatchObject({ status: 200 });
    expect(await jobs()).toBe(1);
  });

  it("is taken when the first could not be created", async () => {
    server.github.push = () => "The repository is empty. Push a first commit.";
    expect(await create("k1")).toMatchObject({ status: 422, body: { code: "repository_not_ready" } });
    server.github.push = () => "done";
    expect(await create("k1")).toMatchObject({ status: 200 });
  });
});

describe("a request that arrives while the first of its Idempotency-Key is still being worked on", () => {
  it("is told to come again after ten seconds, and gets the answer then", async () => {
    await server.close();
    server = await startServer({ dir, clock });
    let asked = false;
    let release = (): void => {};
    Object.defineProperty(server.github, "installed", {
      get: () => {
        asked = true;
        return new Promise((resolve) => {
          release = () => resolve(true);
        });
      },
    });
    const first = create("k1");
    await expect.poll(() => asked).toBe(true);
    let told: Asked | null = null;
    void create("k1").then((answer) => {
      told = answer;
    });
    // a request that has not arrived yet does not see the time pass
    const later = () => {
      clock.pass(DUPLICATE_WAIT_MS / 10);
      return told;
    };
    await expect.poll(later).toMatchObject({ status: 409, body: { code: "still_running" } });
    expect(told).toMatchObject({ headers: expect.toSatisfy((headers: Headers) => headers.get("retry-after") === "1") });
    release();
    const { status, body } = await first;
    expect(status).toBe(200);
    expect(await create("k1")).toMatchObject({ status, body });
  });

  it("does not wait when very many wait already", async () => {
    const release = holdBranches();
    const all = Array.from({ length: MAX_WAITING_DUPLICATES + 2 }, () => create("k1"));
    expect((await Promise.race(all)).status).toBe(409);
    release();
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 409)).toHaveLength(1);
    expect(await jobs()).toBe(1);
  });
});

describe("an Idempotency-Key", () => {
  it.each(["", " ", "a b", "ü", "x".repeat(256)])("is refused when it is %j", async (key) => {
    expect(await create(key)).toMatchObject({ status: 400, body: { code: "invalid_idempotency_key" } });
    expect(await jobs()).toBe(0);
  });

  it("may have 255 characters", async () => {
    expect((await create("x".repeat(255))).status).toBe(200);
  });
});
