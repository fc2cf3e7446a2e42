/** A repository that is renamed, transferred or uninstalled between two times of its schedule. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import type { HookEvent } from "../sandbox/github/webhook-faults.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const CRONS = "config/CRONS.json";
const DAY = 24 * 3_600_000;
const NIGHTLY = { name: "nightly", schedule: "0 9 * * *", job: "create HELLO.md that says hello" };
const CREW = "crew";

const stateAt = ({ app }: Harness, at: string) => {
  const [owner = "", name = ""] = at.split("/");
  return app.store.repositories.get(owner, name);
};
const scheduleAt = async (harness: Harness, at: string) => (await stateAt(harness, at))?.schedules[0] ?? null;
const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

async function settled({ sandbox, app }: Harness): Promise<void> {
  await sandbox.idle();
  await until("the inbox to be empty", async () => (await app.store.inbox.pending()).length === 0);
  await until("the effects to be done", async () => (await app.store.repositories.withEffects()).length === 0);
}

async function due(harness: Harness, at: string): Promise<void> {
  const starts_at = (await scheduleAt(harness, at))?.next?.starts_at ?? 0;
  harness.pass(Math.max(0, starts_at - harness.now()) + 1_000);
}

/** The job of a time, with its branch pushed. */
async function jobOf(harness: Harness, due_at: number): Promise<Job> {
  const job = await until("the job", async () =>
    (await jobs(harness)).find(({ origin }) => origin.kind === "schedule" && origin.due_at === due_at),
  );
  await until("its branch", () => harness.github.branches(DEMO)[job.branch]);
  return job;
}

/** Its schedule has started a job, which nobody has worked on yet; the App is installed for another owner as well. */
async function begun() {
  const harness = await startHarness({ actions: false });
  const { github } = harness;
  github.createUser(CREW, "Organization");
  github.install(github.createRepository({ owner: CREW, name: "other" }).name);
  github.pushCommit(DEMO, "main", { [CRONS]: JSON.stringify([NIGHTLY]) }, WRITER);
  await settled(harness);
  const due_at = (await scheduleAt(harness, DEMO))?.next?.due_at ?? 0;
  await due(harness, DEMO);
  const job = await jobOf(harness, due_at);
  await until("the run to be known", async () => (await scheduleAt(harness, DEMO))?.last?.job === job.id);
  return { harness, github, due_at, job };
}

async function said(harness: Harness, at: string, body: string): Promise<string> {
  const { github } = harness;
  const issue = github.openIssue(at, { title: "Something to ask", body: "", by: WRITER });
  github.comment(at, issue, { body, by: WRITER });
  const answer = () => github.comments(at, issue).find(({ user }) => user.endsWith("[bot]"))?.body;
  return until(`the answer to ${body}`, answer);
}

/** Nothing is lost where it is now: neither the open job, nor the next time; and nothing starts twice. */
async function goesOn({ harness, job, due_at }: Awaited<ReturnType<typeof begun>>, at: string): Promise<void> {
  const { github } = harness;
  await until("the files to be read", async () => {
    harness.pass(3_000);
    return (await stateAt(harness, at))?.files_read;
  });
  await settled(harness);
  const [owner, name] = at.split("/");
  const place = { id: job.repository.id, owner, name };
  const state = await stateAt(harness, at);
  expect(state).toMatchObject(place);
  expect((await harness.job(job.id)).repository).toEqual({ ...place, installation_id: state?.installation_id });
  expect((await harness.job(job.id)).status).toBe("queued");
  expect(await scheduleAt(harness, at)).toMatchObject({
    last: { due_at, job: job.id, came_to: null },
    next: { due_at: due_at + DAY },
  });
  github.setCollaborator(at, WRITER, "write");
  expect(await said(harness, at, "/job schedules")).toMatch(
    new RegExp(`\`nightly\` .*: next .* UTC; last run .*, job \`${job.id}\`, open`),
  );
  const issue = github.openIssue(at, { title: "Enough", body: "", by: WRITER });
  github.comment(at, issue, { body: `/job cancel ${job.id}`, by: WRITER });
  await untilJob(harness, job.id, "cancelled", ({ status }) => status === "cancelled");
  await due(harness, at);
  const second = await jobOf(harness, due_at + DAY);
  expect(second.repository).toEqual({ ...place, installation_id: state?.installation_id });
  await harness.restart();
  harness.pass(60_000);
  await settled(harness);
  expect(await jobs(harness)).toHaveLength(2);
}

const removed = ({ event, action }: HookEvent) => event === "installation_repositories" && action === "removed";

describe("between two times of its schedule, a repository", () => {
  it("is renamed", async () => {
    const world = await begun();
    const at = world.github.renameRepository(DEMO, "showcase", WRITER);
    await settled(world.harness);
    await goesOn(world, at);
  });

  it("is transferred, and leaves the old installation before anything else is told", async () => {
    const world = await begun();
    const at = world.github.transferRepository(DEMO, CREW, WRITER);
    await settled(world.harness);
    await goesOn(world, at);
  });

  it("is transferred, of which nothing but its arrival is told", async () => {
    const world = await begun();
    world.github.webhooks.drop((one) => one.event === "repository" || removed(one), { silently: true });
    const at = world.github.transferRepository(DEMO, CREW, WRITER);
    await settled(world.harness);
    await goesOn(world, at);
  });

  it("is transferred, and news of the old installation come after it", async () => {
    const world = await begun();
    const { harness, github } = world;
    github.webhooks.hold((one) => removed(one) || one.event === "push");
    github.pushCommit(DEMO, "main", { "README.md": "# before\n" }, WRITER);
    const at = github.transferRepository(DEMO, CREW, WRITER);
    await harness.sandbox.idle();
    await until("it to be known", () => stateAt(harness, at));
    github.webhooks.release();
    await settled(harness);
    github.uninstall(harness.sandbox.installation);
    await settled(harness);
    await goesOn(world, at);
  });

  it("is transferred, and leaves its name to another, which a late push to it does not take away", async () => {
    const world = await begun();
    const { harness, github } = world;
    github.webhooks.hold(({ event }) => event === "push");
    github.pushCommit(DEMO, "main", { "README.md": "# before\n" }, WRITER);
    const at = github.transferRepository(DEMO, CREW, WRITER);
    const [owner = "", name = ""] = DEMO.split("/");
    const { id } = github.createRepository({ owner, name });
    github.install(DEMO);
    await until("the other to be known", async () => (await stateAt(harness, DEMO))?.id === id);
    github.webhooks.release();
    await settled(harness);
    expect((await stateAt(harness, DEMO))?.id).toBe(id);
    expect((await stateAt(harness, at))?.id).toBe(world.job.repository.id);
    expect((await harness.job(world.job.id)).status).toBe("queued");
  });

  it("is transferred, and a time comes before anything is told of that: it fails, which is said, and can be retried", async () => {
    const { harness, github, job, due_at } = await begun();
    harness.ask(`/job cancel ${job.id}`);
    await untilJob(harness, job.id, "cancelled", ({ status }) => status === "cancelled");
    await settled(harness);
    github.webhooks.hold();
    const at = github.transferRepository(DEMO, CREW, WRITER);
    await due(harness, DEMO);
    const isOfTime = ({ origin }: Job) => origin.kind === "schedule" && origin.due_at === due_at + DAY;
    const { id } = await until("the job", async () => (await jobs(harness)).find(isOfTime));
    await untilJob(harness, id, "failed", ({ status }) => status === "failed");
    github.webhooks.release();
    await settled(harness);
    github.setCollaborator(at, WRITER, "write");
    expect(await said(harness, at, "/job schedules")).toContain(`job \`${id}\`, failed: \`The App may not write to`);
    const issue = github.openIssue(at, { title: "Again", body: "", by: WRITER });
    github.comment(at, issue, { body: `/job retry ${id}`, by: WRITER });
    await until("its branch", () => github.branches(at)[`job/${id}`]);
    expect((await harness.job(id)).repository).toMatchObject({ owner: CREW, id: job.repository.id });
    expect(await jobs(harness)).toHaveLength(2);
  });

  it("is transferred to an owner without the App: its job ends, and nothing starts any more", async () => {
    const { harness, github, job } = await begun();
    const at = github.transferRepository(DEMO, "stranger", WRITER);
    await settled(harness);
    await untilJob(harness, job.id, "cancelled", ({ status }) => status === "cancelled");
    for (const name of [DEMO, at]) expect(await stateAt(harness, name)).toBeNull();
    harness.pass(2 * DAY);
    await settled(harness);
    expect(await jobs(harness)).toHaveLength(1);
  });

  it("is uninstalled, over a time, and installed again", async () => {
    const { harness, github, job, due_at } = await begun();
    github.uninstall(harness.sandbox.installation);
    await settled(harness);
    await untilJob(harness, job.id, "cancelled", ({ status }) => status === "cancelled");
    expect(await stateAt(harness, DEMO)).toBeNull();
    harness.pass(DAY);
    github.install(DEMO);
    await until("the files to be read", async () => {
      harness.pass(3_000);
      return (await stateAt(harness, DEMO))?.files_read;
    });
    expect(await said(harness, DEMO, "/job schedules")).toMatch(/`nightly` .*: next .* UTC; it has not run yet/);
    expect(await jobs(harness)).toHaveLength(1);
    await due(harness, DEMO);
    await jobOf(harness, due_at + 2 * DAY);
    await harness.restart();
    harness.pass(60_000);
    await settled(harness);
    expect(await jobs(harness)).toHaveLength(2);
  });
});
