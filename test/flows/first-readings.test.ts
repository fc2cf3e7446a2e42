/** Files of repositories that nobody pushed to since the App came: read once, and by that their schedules start. */
import { expect, it } from "vitest";
import { NO_AUTOMATION } from "../../src/contracts/automation.ts";
import { OWNER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until } from "./harness.ts";

const CRONS = "config/CRONS.json";
const NIGHTLY = { name: "nightly", schedule: "0 9 * * *", job: "create HELLO.md that says hello" };
const NAME = "fresh";
const FILES = { "README.md": "# fresh\n", [CRONS]: JSON.stringify([NIGHTLY]) };

const stateOf = ({ app }: Harness) => app.store.repositories.get(OWNER, NAME);
const nextOf = async (harness: Harness) => (await stateOf(harness))?.schedules[0]?.next ?? null;
const jobs = async ({ app }: Harness) => (await app.store.jobs.list({ limit: 50 })).jobs;
/** Of files, by the App. */
const readings = ({ github }: Harness) => github.calls().filter(({ graphql }) => graphql === "BranchState").length;

async function begun(files: Record<string, string> = FILES) {
  const harness = await startHarness({ actions: false });
  const { github } = harness;
  const { name } = github.createRepository({ owner: OWNER, name: NAME, files });
  await harness.sandbox.idle();
  const read = () =>
    until("the files to be read", async () => {
      harness.pass(3_000);
      return (await stateOf(harness))?.files_read;
    });
  return { harness, github, name, read };
}

it("starts schedules of a repository that was installed, and installed again, without a push, and none twice", async () => {
  const { harness, github, name, read } = await begun();
  github.install(name);
  await read();
  const next = await nextOf(harness);
  expect(next?.due_at).toBeGreaterThan(harness.now());
  harness.pass((next?.starts_at ?? 0) - harness.now() + 1_000);
  const job = await until("the job", async () => (await jobs(harness))[0]);
  expect(job.origin).toEqual({ kind: "schedule", name: "nightly", due_at: next?.due_at });
  for (let round = 0; round < 2; round++) {
    const installation = (await stateOf(harness))?.installation_id ?? 0;
    github.uninstall(installation);
    await until("the repository to be forgotten", async () => (await stateOf(harness)) === null);
    github.install([name]);
    await read();
    expect((await nextOf(harness))?.due_at).toBe((next?.due_at ?? 0) + 24 * 3_600_000);
  }
  harness.pass(60_000);
  await harness.sandbox.idle();
  expect(await jobs(harness)).toHaveLength(1);
});

it("reads a repository without files once, and one without a commit too", async () => {
  const { harness, github, name, read } = await begun({ "README.md": "# fresh\n" });
  const before = readings(harness);
  github.install(name);
  await read();
  await harness.restart();
  const empty = github.createRepository({ owner: OWNER, name: "empty", empty: true }).name;
  github.install(empty);
  await until("the empty one", async () => {
    harness.pass(3_000);
    return (await harness.app.store.repositories.get(OWNER, "empty"))?.files_read;
  });
  await harness.restart();
  for (let at = 0; at < 10; at++) {
    harness.pass(3_000);
    await harness.sandbox.idle();
  }
  // the demo, which the installation has as well, had been read or is read once
  expect(readings(harness) - before).toBeLessThanOrEqual(3);
  expect(await harness.app.store.repositories.unread()).toEqual([]);
});

it("reads at its start what an earlier version has not read", async () => {
  const { harness, github, name, read } = await begun();
  github.install(name);
  await read();
  const { id } = (await stateOf(harness)) ?? { id: 0 };
  const { repositories } = harness.app.store;
  const stored = await repositories.load(id);
  if (stored === null) throw new Error("nothing is known of the repository");
  const state = { ...stored.state, automation: NO_AUTOMATION, schedules: [], files_read: false };
  await repositories.commit({ id, state, expected_version: stored.version, effects: [], done: null });
  await harness.restart();
  await read();
  expect(await nextOf(harness)).not.toBeNull();
});

it("says on its commit that a file is broken, once", async () => {
  const { harness, github, name, read } = await begun({ [CRONS]: "[{" });
  github.install(name);
  await read();
  const checks = () => github.calls().filter(({ method, route }) => method === "POST" && route.endsWith("/check-runs"));
  await until("the check", () => checks().length > 0);
  await harness.restart();
  harness.pass(10_000);
  await harness.sandbox.idle();
  expect(checks()).toHaveLength(1);
  expect((await stateOf(harness))?.automation.problems[0]?.problem).toContain("config/CRONS.json");
});
