/** Red pull requests of dependency bots: a trigger starts one job for a commit, on the bot's branch, and merges nothing. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const BOT = "dependabot[bot]";
const BRANCH = "dependabot/npm/left-pad-2";
const BROKEN = { BROKEN: "one\n" };

async function settled({ sandbox, app }: Harness): Promise<void> {
  await sandbox.idle();
  await until("the inbox to be empty", async () => (await app.store.inbox.pending()).length === 0);
  await until("the files to be read", async () => (await app.store.repositories.withEffects()).length === 0);
}

const jobs = async ({ app }: Harness): Promise<readonly Job[]> => (await app.store.jobs.list({ limit: 50 })).jobs;

async function listening(job = "delete BROKEN", more: object = {}, filter: object | null = null): Promise<Harness> {
  const harness = await startHarness();
  const trigger = { name: "deps", on: { dependency_pull_request_failed: filter }, actions: [{ job }], ...more };
  const files = { "config/TRIGGERS.json": JSON.stringify([trigger]) };
  harness.github.pushCommit(DEMO, "main", files, WRITER);
  await settled(harness);
  harness.github.createUser(BOT, "Bot");
  harness.github.createUser("somebot[bot]", "Bot");
  return harness;
}

/** A pull request whose only check is red. */
async function red(harness: Harness, by = BOT, pushed_by = by, branch = BRANCH): Promise<number> {
  const { github } = harness;
  github.pushCommit(DEMO, branch, BROKEN, pushed_by);
  const number = github.openPullRequest(DEMO, { title: "Bump left-pad from 1 to 2", head: branch, by });
  await settled(harness);
  await until("CI to be over", () =>
    github.runs(DEMO).some((run) => run.event === "pull_request" && run.status === "completed"),
  );
  await settled(harness);
  return number;
}

describe("a red pull request of a dependency bot", () => {
  it("is mended on its branch by one job, which merges nothing", async () => {
    const harness = await listening();
    const { github } = harness;
    const number = await red(harness);
    const { id } = await until("a job", async () => (await jobs(harness))[0]);
    const job = await untilJob(harness, id, "over", ({ status }) => status === "verified");
    expect(job).toMatchObject({
      origin: { kind: "trigger", name: "deps", issue: number },
      ...{ requester: null, merge: { state: "off" }, target: { number, branch: BRANCH, pushed_sha: job.head_sha } },
    });
    expect(job.trigger_values[0]?.text).toMatch(/^#\d+: Bump left-pad from 1 to 2\n\nThese checks fail: ./);
    await until("the comment to say so", () => /\*\*Fixed\*\*/.test(harness.comment(number)));
    await settled(harness);
    expect(await jobs(harness)).toHaveLength(1);
    expect(github.pulls(DEMO)).toMatchObject([{ number, state: "open", merged: false }]);
  });

  it("starts one job for a commit, also where the check fails again", async () => {
    const harness = await listening("do nothing");
    const number = await red(harness);
    const { id } = await until("a job", async () => (await jobs(harness))[0]);
    await untilJob(harness, id, "over", ({ status }) => status === "verified" || status === "failed");
    await harness.restart();
    const run = harness.github.runs(DEMO).find(({ event }) => event === "pull_request");
    harness.github.rerun(DEMO, run?.id ?? 0);
    await settled(harness);
    expect(await jobs(harness)).toHaveLength(1);
    harness.github.pushCommit(DEMO, BRANCH, { BROKEN: "two\n" }, BOT);
    await settled(harness);
    await until("a job for the next commit", async () => (await jobs(harness)).length === 2);
    expect((await jobs(harness)).map(({ origin }) => Object(origin).issue)).toEqual([number, number]);
  });

  it("starts none for a person's, for a person who is called alike, for a person's push or for another bot's", async () => {
    const harness = await listening();
    harness.github.createUser("dependabot");
    await red(harness, WRITER, WRITER, "mine");
    await red(harness, "dependabot", WRITER, "alike");
    harness.github.pushCommit(DEMO, "pushed", { "MORE.md": "more\n" }, BOT);
    harness.github.openPullRequest(DEMO, { title: "Bump", head: "pushed", by: BOT });
    await settled(harness);
    harness.github.pushCommit(DEMO, "pushed", BROKEN, WRITER);
    await settled(harness);
    await red(harness, "somebot[bot]", "somebot[bot]", "other");
    expect(await jobs(harness)).toEqual([]);
  });

  it("takes other bots that are named, and no more jobs in an hour than it may", async () => {
    const harness = await listening("delete BROKEN", { jobs_per_hour: 1 }, { authors: ["some*[bot]"] });
    await red(harness);
    await red(harness, "somebot[bot]", "somebot[bot]", "other");
    await red(harness, "somebot[bot]", "somebot[bot]", "another");
    expect((await jobs(harness)).map(({ target }) => Object(target).branch)).toEqual(["other"]);
  });

  it("starts none for a fork", async () => {
    const harness = await listening();
    harness.github.openForkPullRequest(DEMO, { title: "Bump", by: BOT, branch: BRANCH, files: BROKEN });
    await settled(harness);
    expect(await jobs(harness)).toEqual([]);
  });
});
