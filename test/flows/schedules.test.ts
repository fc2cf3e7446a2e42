/** Work that a repository's schedules start: jobs without anybody's comment, from their time to the merge. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const CRONS = "config/CRONS.json";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HELLO = "create HELLO.md that says hello";
const nightly = (more: object = {}) => ({ name: "nightly", schedule: "0 9 * * *", type: "agent", job: HELLO, ...more });
const crons = (...jobs: object[]): Record<string, string> => ({ [CRONS]: JSON.stringify({ jobs }) });

const stateOf = async ({ app }: Harness) => {
  const [owner = "", name = ""] = DEMO.split("/");
  const state = await app.store.repositories.get(owner, name);
  if (state === null) throw new Error("nothing is known of the repository");
  return state;
};
const scheduleIn = async (harness: Harness) => (await stateOf(harness)).schedules[0];

async function pushed(harness: Harness, files: Record<string, string>): Promise<string> {
  const sha = harness.github.pushCommit(DEMO, "main", files, "ada");
  await harness.sandbox.idle();
  const { inbox, repositories } = harness.app.store;
  await until("the inbox to be empty", async () => (await inbox.pending()).length === 0);
  await until("the files to be read", async () => (await repositories.withEffects()).length === 0);
  return sha;
}

const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

/** To the second after the schedule starts. */
async function due(harness: Harness): Promise<void> {
  const starts_at = (await scheduleIn(harness))?.next?.starts_at ?? 0;
  harness.pass(Math.max(0, starts_at - harness.now()) + 1_000);
}

/** The answer to a comment on a fresh issue. */
async function answer(harness: Harness, command: string): Promise<string> {
  const issue = harness.ask(command);
  await until(`the answer to ${command}`, () => harness.comment(issue) !== "");
  return harness.comment(issue);
}

describe("a schedule", () => {
  it("starts a job at its time, once, which belongs to the repository and is merged", async () => {
    const harness = await startHarness();
    await pushed(harness, crons(nightly()));
    expect((await stateOf(harness)).automation).toMatchObject({ problems: [], schedules: [{ name: "nightly" }] });
    await due(harness);
    const { id } = await until("the job", async () => (await jobs(harness))[0]);
    const job = await untilJob(harness, id, "merged", ({ merged_at }) => merged_at !== null);
    expect(job).toMatchObject({ task: HELLO, requester: null, origin: { kind: "schedule", name: "nightly" } });
    expect(job.account).toBe(`repository@${job.repository.id}`);
    expect(harness.github.readFile(DEMO, "main", "HELLO.md")).toContain("ello");
    await until("the end to be known", async () => (await scheduleIn(harness))?.last?.came_to === "merged");
    await harness.restart();
    harness.pass(60_000);
    expect(await jobs(harness)).toHaveLength(1);
    harness.pass(DAY);
    await until("the job of the next day", async () => (await jobs(harness)).length === 2);
  });
});

describe("a schedule whose run is open", () => {
  it("leaves its time out, and says so where it is asked", async () => {
    const harness = await startHarness({ actions: false });
    // within a day the job would be given up
    await pushed(harness, crons(nightly({ schedule: "0 * * * *" })));
    await due(harness);
    const { id } = await until("the job", async () => (await jobs(harness))[0]);
    await until("the run to be known", async () => (await scheduleIn(harness))?.last?.job === id);
    harness.pass(HOUR);
    await until("the time to be left out", async () => (await scheduleIn(harness))?.skipped_at);
    expect(await jobs(harness)).toHaveLength(1);
    const said = await answer(harness, "/job schedules");
    expect(said).toMatch(/`nightly` \(`0 \* \* \* \*`\): next .* UTC; last run .*, job `\w{8}`, open; .* was left out/);
  });
});

describe("a server that was away", () => {
  it("makes up for one time, once", async () => {
    const harness = await startHarness({ actions: false });
    await pushed(harness, crons(nightly()));
    const missed = (await scheduleIn(harness))?.next?.due_at;
    await harness.restart();
    harness.pass(5 * DAY);
    const job = await until("the job", async () => (await jobs(harness))[0]);
    expect(job.origin).toEqual({ kind: "schedule", name: "nightly", due_at: missed });
    await harness.restart();
    harness.pass(60_000);
    await until("the run to be known", async () => (await scheduleIn(harness))?.last?.job === job.id);
    expect(await jobs(harness)).toHaveLength(1);
    expect((await scheduleIn(harness))?.next?.due_at).toBeGreaterThan(harness.now());
  });
});

describe("a schedule that fails", () => {
  it("is paused after three times with one issue, and resumed by a comment, which closes it", async () => {
    const harness = await startHarness({ actions: false, model: false });
    const { github } = harness;
    await pushed(harness, crons(nightly({ llm_model: "no-such-model" })));
    for (let at = 1; at <= 3; at++) {
      await due(harness);
      await until("the failure", async () => (await scheduleIn(harness))?.failures === at);
    }
    const number = await until("the issue", async () => (await stateOf(harness)).schedule_notice);
    expect(github.issue(DEMO, number)).toMatchObject({
      state: "open",
      title: "Schedules of this repository are paused",
    });
    expect(github.issue(DEMO, number).body).toMatch(/`nightly` \(last run: .*no-such-model/s);
    expect(await answer(harness, "/job schedules")).toMatch(
      /\*\*paused\*\* since .*could not be started: `.*no-such-model/,
    );
    harness.pass(3 * DAY);
    expect(await jobs(harness)).toEqual([]);
    expect(await answer(harness, "/job resume weekly")).toContain("There is no schedule `weekly`");
    expect(await answer(harness, "/job resume nightly")).toMatch(/`nightly` is not paused: next .* UTC/);
    await until("the issue to be closed", () => github.issue(DEMO, number).state === "closed");
    expect(await answer(harness, "/job resume")).toContain("No schedule is paused.");
  });
});

describe("a schedule for which a limit leaves no room", () => {
  it("is left out with the reason, and not paused for that", async () => {
    const harness = await startHarness({ actions: false });
    // at the beginning of a day, whatever the clock says
    harness.pass(DAY - (harness.now() % DAY));
    await pushed(harness, { ".github/journeyman.yml": "budget:\n  jobs_per_day: 1\n" });
    await harness.jobOf(harness.ask(`/job ${HELLO}`));
    await pushed(harness, crons(nightly({ schedule: "*/5 * * * *" })));
    const last = async () => (await scheduleIn(harness))?.last;
    for (let at = 0; at < 4; at++) {
      const before = (await last())?.due_at ?? 0;
      await due(harness);
      await until("the time to be left out", async () => {
        const { due_at = 0, came_to } = (await last()) ?? {};
        return due_at > before && came_to === "no_room";
      });
    }
    expect(await scheduleIn(harness)).toMatchObject({ failures: 0, paused_at: null });
    expect((await scheduleIn(harness))?.last?.why).toContain("00:00 UTC");
    expect(await answer(harness, "/job schedules")).toMatch(/was left out for a limit: `.*00:00 UTC/);
  });
});

describe("a file that is broken", () => {
  it("is told of on its commit, and its last valid version goes on", async () => {
    const harness = await startHarness({ actions: false });
    const checks = (sha: string) =>
      harness.github.checkRuns(DEMO, sha).filter(({ name }) => name === "journeyman settings");
    await pushed(harness, crons(nightly()));
    const broken = await pushed(harness, crons(nightly({ schedule: "often" })));
    expect(checks(broken)).toMatchObject([{ conclusion: "failure", output: { title: "1 mistake" } }]);
    expect(checks(broken)[0]?.output.summary).toContain("`jobs[0].schedule`: is not a cron expression");
    expect((await scheduleIn(harness))?.next).not.toBeNull();
    expect(await answer(harness, "/job schedules")).toContain("❌ `config/CRONS.json` has a mistake");
    const mended = await pushed(harness, crons(nightly()));
    expect(checks(mended)).toMatchObject([{ conclusion: "success", output: { title: "Mended" } }]);
  });
});
