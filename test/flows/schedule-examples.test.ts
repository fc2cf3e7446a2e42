/**
 * The examples of docs/schedules.md and of create-job's documentation, played as they stand, and schedules on the real
 * clock. Those are begun before the others, so that their minute goes by while the examples are played.
 */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import type { Job } from "../../src/domain/job/job.ts";
import type { ScheduleState } from "../../src/domain/repository/schedule-schema.ts";
import { startReceiver, verified } from "../contract/receiver.ts";
import { fenceOf, textOf } from "../process/read-markdown.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type Harness, openHarness, startHarness, until } from "./harness.ts";

const SETTINGS = ".github/journeyman.yml";
const CRONS = "config/CRONS.json";
const MINUTE_MS = 60_000;
const PAGE = textOf("docs/schedules.md");
/** Stands on the page for the sandbox's repository. */
const EXAMPLE = "octocat/hello-world";

/** Word for word from create-job's documentation. */
const CREATE_JOB = `// config/CRONS.json
{
  "jobs": [
    {
      "name": "daily-report",
      "schedule": "0 9 * * *",
      "type": "agent",
      "job": "Generate daily metrics report from logs",
      "enabled": true
    }
  ]
}
`;
const FILE = z.object({ jobs: z.array(z.looseObject({})) });
const LIST = JSON.stringify(FILE.parse(JSON.parse(CREATE_JOB.replace(/^\/\/.*$/m, ""))).jobs);

const stateOf = async ({ app }: Harness) => {
  const [owner = "", name = ""] = DEMO.split("/");
  const state = await app.store.repositories.get(owner, name);
  if (state === null) throw new Error("nothing is known of the repository");
  return state;
};
const scheduleIn = async (harness: Harness, name: string) =>
  (await stateOf(harness)).schedules.find((one) => one.name === name);

/** Has the file read from the default branch; answers the commit. */
async function pushed(harness: Harness, path: string, text: string): Promise<string> {
  const sha = harness.github.pushCommit(DEMO, "main", { [path]: text }, WRITER);
  await harness.sandbox.idle();
  const { inbox, repositories } = harness.app.store;
  await until("the inbox to be empty", async () => (await inbox.pending()).length === 0);
  await until("the files to be read", async () => (await repositories.withEffects()).length === 0);
  return sha;
}

const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

const jobsOf = async (harness: Harness, name: string): Promise<readonly Job[]> =>
  (await jobs(harness)).filter(({ origin }) => origin.kind === "schedule" && origin.name === name);

/** The job of a schedule, with its branch pushed. */
const jobOf = async (harness: Harness, name: string, within_ms?: number): Promise<Job> => {
  const job = await until(`the job of ${name}`, async () => (await jobsOf(harness, name))[0], within_ms);
  await until("its branch", () => harness.github.branches(DEMO)[job.branch]);
  return job;
};

/** Lets time pass until all of these have come, one after another. */
async function comes(harness: Harness, ...names: readonly string[]): Promise<void> {
  const times = await Promise.all(names.map(async (name) => (await scheduleIn(harness, name))?.next?.starts_at ?? 0));
  for (const at of times.toSorted((a, b) => a - b)) {
    harness.pass(Math.max(0, at - harness.now()) + 1_000);
    await until("what has come to be told", async () => {
      const { schedules } = await stateOf(harness);
      return schedules.every(({ next }) => next === null || next.starts_at > harness.now());
    });
  }
}

const issuedSchema = z.object({ secret: z.string() });
const eventSchema = z.object({ type: z.string(), timestamp: z.string(), data: z.looseObject({ due_at: z.string() }) });

/** Has events of the repository sent to a receiver of its own, for a person who may command there. */
async function subscribed(harness: Harness) {
  const receiver = await startReceiver();
  // an account is known by its person's number from their first command on
  await harness.jobOf(harness.ask("/job create FIRST.md that says hello"));
  const scopes = { account: WRITER, repository: DEMO, scopes: ["read", "write"] };
  const made = await harness.request("/api/keys", { method: "POST", body: scopes });
  const { key } = z.object({ key: z.string() }).parse(await made.json());
  const body = { url: receiver.url, events: ["schedule.due"] };
  const answer = await harness.request("/api/webhooks", { method: "POST", key, body });
  expect(answer.status).toBe(201);
  const { secret } = issuedSchema.parse(await answer.json());
  return {
    receiver,
    secret,
    events: () => receiver.received.map(({ body: text }) => eventSchema.parse(JSON.parse(text))),
  };
}

/** Time for the file to be read before the minute of its schedules begins. */
const READING_MS = 15_000;

/** Schedules of which one comes early in its minute: how many seconds after it, their names decide. */
const NAMES = Array.from({ length: 60 }, (_, at) => `real-${at}`);

/** An App with its own clock, and two schedules whose minute is the next to begin. */
async function begunOnRealClock() {
  const harness = await openHarness({ actions: false, realClock: true });
  const told = await subscribed(harness);
  await pushed(harness, CRONS, JSON.stringify(NAMES.map((name) => ({ name, schedule: "@yearly", job: "Look." }))));
  const wait = ({ next }: ScheduleState) => (next === null ? MINUTE_MS : next.starts_at - next.due_at);
  const early = (await stateOf(harness)).schedules.toSorted((a, b) => wait(a) - wait(b)).map(({ name }) => name);
  const [agent = "", webhook = ""] = early;
  const soon = new Date(Date.now() + READING_MS + MINUTE_MS);
  const schedule = `${soon.getUTCMinutes()} ${soon.getUTCHours()} * * *`;
  const both = [
    { name: agent, schedule, job: "create HELLO.md that says hello" },
    { name: webhook, schedule, type: "webhook" },
  ];
  await pushed(harness, CRONS, JSON.stringify(both));
  return { harness, told, agent, webhook };
}

let real: Awaited<ReturnType<typeof begunOnRealClock>>;

beforeAll(async () => {
  real = await begunOnRealClock();
});

afterAll(async () => {
  await real.told.receiver.close();
  await real.harness.close();
});

describe("create-job's example", () => {
  it.each([
    ["as it stands", CREATE_JOB],
    ["as the list alone", LIST],
    ["on the page of schedules", fenceOf(PAGE, "json crons")],
  ])("starts its job %s", async (_how, text) => {
    const harness = await startHarness({ actions: false });
    await pushed(harness, CRONS, text);
    expect((await stateOf(harness)).automation).toMatchObject({ problems: [], schedules: [{ name: "daily-report" }] });
    await comes(harness, "daily-report");
    const job = await jobOf(harness, "daily-report");
    expect(job.task).toBe("Generate daily metrics report from logs");
    expect(job.choices).toMatchObject({ provider: null, model: null });
    expect(job.origin.kind === "schedule" && new Date(job.origin.due_at).toISOString()).toMatch(/T09:00:00\.000Z$/);
    expect(harness.github.readFile(DEMO, job.branch, `.jobs/${job.id}/job.md`)).toContain(job.task);
  });
});

describe("the settings file of the page", () => {
  it("starts each of its jobs with its model, and sends its event, signed, once", async () => {
    const harness = await startHarness({ actions: false });
    const { receiver, secret, events } = await subscribed(harness);
    onTestFinished(() => receiver.close());
    await pushed(harness, SETTINGS, fenceOf(PAGE, "yaml settings"));
    const { automation } = await stateOf(harness);
    expect(automation.problems).toEqual([]);
    const names = ["dependencies", "stale-links", "release-window"];
    expect(automation.schedules.map(({ name }) => name)).toEqual(names);
    await comes(harness, ...names);

    const dependencies = await jobOf(harness, "dependencies");
    const monday = dependencies.origin.kind === "schedule" ? dependencies.origin.due_at : 0;
    const there = { timeZone: "Europe/Berlin", weekday: "short", hour: "2-digit", minute: "2-digit" } as const;
    expect(new Intl.DateTimeFormat("en-GB", there).format(monday)).toBe("Mon 06:00");
    const links = await jobOf(harness, "stale-links");
    expect(links.choices).toMatchObject({ provider: "anthropic", model: "claude-haiku-5-5" });
    for (const { name, job: task } of automation.schedules.filter(({ type }) => type === "agent"))
      expect((await jobOf(harness, name)).task).toBe(task);

    const event = await until("the event", () => events()[0]);
    const promised = eventSchema.parse(JSON.parse(fenceOf(PAGE, "json event").replace(EXAMPLE, DEMO)));
    const { due_at } = event.data;
    expect(event).toEqual({ ...promised, timestamp: due_at, data: { ...promised.data, due_at } });
    expect(new Date(due_at).toUTCString()).toMatch(/^Fri, .* 12:00:00 GMT$/);
    for (const { id, headers, body } of receiver.received) {
      const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
      expect(headers["webhook-signature"]).toBe(new Webhook(secret).sign(id, at, body));
    }
    await until("it to be known", async () => (await scheduleIn(harness, "release-window"))?.last?.came_to === "told");
    await harness.restart();
    harness.pass(MINUTE_MS);
    await harness.sandbox.idle();
    expect(events().filter(({ data }) => data.due_at === due_at)).toHaveLength(1);
  });
});

describe("the command of the page", () => {
  it("is refused on its commit in the words that the page has, and starts nothing", async () => {
    const harness = await startHarness({ actions: false });
    const sha = await pushed(harness, CRONS, fenceOf(PAGE, "json crons refused"));
    const [check] = await until("the check", () => {
      const named = harness.github.checkRuns(DEMO, sha).filter(({ name }) => name === "journeyman settings");
      return named.length > 0 ? named : null;
    });
    expect(check).toMatchObject({ conclusion: "failure", output: { title: "1 mistake" } });
    expect(check?.output.summary).toContain(fenceOf(PAGE, "text refusal").trim());
    harness.pass(2 * 24 * 60 * MINUTE_MS);
    await harness.sandbox.idle();
    expect(await jobs(harness)).toEqual([]);
    expect((await stateOf(harness)).schedules).toEqual([]);
  });
});

// the last of the file, so that most of its minute has gone by
it("schedules on the real clock start a job and send an event in their minute, once", async () => {
  const { harness, told, agent, webhook } = real;
  const job = await jobOf(harness, agent, 2 * MINUTE_MS);
  const due_at = job.origin.kind === "schedule" ? job.origin.due_at : 0;
  expect(job.created_at).toBeGreaterThanOrEqual(due_at);
  await until("the run to be known", async () => (await scheduleIn(harness, agent))?.last?.job === job.id);
  await until("the event to be told", async () => (await scheduleIn(harness, webhook))?.last?.came_to === "told");
  const [received] = await until("the event", () =>
    told.receiver.received.length > 0 ? told.receiver.received : null,
  );
  expect(received && verified(told.secret, received)).toMatchObject({
    type: "schedule.due",
    data: { schedule: webhook, due_at: new Date(due_at).toISOString(), repository: DEMO },
  });
  for (const name of [agent, webhook])
    expect(await scheduleIn(harness, name)).toMatchObject({ next: { due_at: due_at + 24 * 60 * MINUTE_MS } });
  expect(await jobsOf(harness, agent)).toHaveLength(1);
  expect(told.receiver.received).toHaveLength(1);
});
