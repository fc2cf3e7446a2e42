/** A push that breaks the settings is answered on its commit, and so is the push that fixes them. */
import { describe, expect, it } from "vitest";
import { SETTINGS_CHECK } from "../../src/github/effects/settings-check.ts";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type Harness, startHarness, until } from "./harness.ts";

const FILE = ".github/journeyman.yml";
const GOOD = "auto_merge:\n  enabled: true\n";
const BROKEN = "auto_merge:\n  enabled: perhaps\n  alowed_paths: [docs/**]\nlimits:\n  minutes: 0\n";

const push = (harness: Harness, files: Record<string, string>): string =>
  harness.github.pushCommit(DEMO, "main", files, "ada");

const checksOf = (harness: Harness, sha: string) =>
  harness.github.checkRuns(DEMO, sha).filter(({ name }) => name === SETTINGS_CHECK);

async function settled(harness: Harness): Promise<void> {
  await harness.sandbox.idle();
  const { inbox, repositories } = harness.app.store;
  await until("the inbox to be empty", async () => (await inbox.pending()).length === 0);
  await until("the settings to be read", async () => (await repositories.withEffects()).length === 0);
}

async function answered(harness: Harness, files: Record<string, string>) {
  const sha = push(harness, files);
  await settled(harness);
  return { sha, checks: checksOf(harness, sha) };
}

describe("the settings at a push to the default branch", () => {
  it("are named with every mistake and its line where they are broken, and green where they are mended", async () => {
    const harness = await startHarness({ actions: false });
    expect((await answered(harness, { [FILE]: GOOD })).checks).toEqual([]);
    const { sha, checks } = await answered(harness, { [FILE]: BROKEN });
    expect(checks).toMatchObject([{ status: "completed", conclusion: "failure", output: { title: "3 mistakes" } }]);
    const { summary, annotations } = checks[0]?.output ?? {};
    for (const key of ["auto_merge.enabled", "auto_merge.alowed_paths", "limits.minutes"])
      expect(summary).toContain(key);
    expect(summary).toContain("uses the last valid version of the file");
    expect(annotations?.map(({ path, start_line }) => [path, start_line])).toEqual(
      expect.arrayContaining([2, 3, 5].map((line) => [FILE, line])),
    );
    expect((await answered(harness, { "OTHER.md": "x" })).checks).toEqual([]);
    const mended = await answered(harness, { [FILE]: `${GOOD}\n` });
    expect(mended.checks).toMatchObject([{ conclusion: "success", output: { title: "Mended" } }]);
    expect((await answered(harness, { [FILE]: GOOD })).checks).toEqual([]);
    expect(checksOf(harness, sha)).toHaveLength(1);
  });

  it("are spoken of once a commit, however often the push is delivered, and after a restart", async () => {
    const harness = await startHarness({ actions: false });
    harness.github.webhooks.duplicate(({ event }) => event === "push");
    const { sha, checks } = await answered(harness, { [FILE]: "automerge: [" });
    expect(checks).toMatchObject([{ output: { title: "1 mistake", annotations: [{ start_line: 1 }] } }]);
    expect(checks[0]?.output.summary).toContain("nothing merges and only admins can use commands");
    await harness.restart();
    expect((await answered(harness, { [FILE]: GOOD })).checks).toMatchObject([{ conclusion: "success" }]);
    expect(checksOf(harness, sha)).toHaveLength(1);
  });
});

describe("a pull request that changes the files", () => {
  const WORKFLOW = ".github/workflows/run-job.yml";

  it("is told on its head what would not work, once, and nothing where they are right", async () => {
    const harness = await startHarness({ actions: false });
    const pushed = async (branch: string, files: Record<string, string>) => {
      const sha = harness.github.pushCommit(DEMO, branch, files, "ada");
      await settled(harness);
      return checksOf(harness, sha);
    };
    harness.github.webhooks.duplicate(({ event }) => event === "push");
    const checks = await pushed("edit", { [FILE]: BROKEN, [WORKFLOW]: "on: push\njobs: {}\n" });
    expect(checks).toMatchObject([{ conclusion: "failure" }]);
    const { summary, annotations } = checks[0]?.output ?? {};
    expect(summary).toContain("`auto_merge.enabled`");
    expect(summary).toContain("does not use the run action");
    expect(annotations?.map(({ path }) => path)).toContain(FILE);
    expect(await pushed("edit", { [FILE]: GOOD, [WORKFLOW]: RUN_JOB_WORKFLOW })).toEqual([]);
    expect(await pushed("journeyman-set-up", { [WORKFLOW]: "on: push\njobs: {}\n" })).toMatchObject([
      { conclusion: "failure" },
    ]);
    expect(await pushed("other", { "OTHER.md": "x\n" })).toEqual([]);
    expect(await pushed("same", { [WORKFLOW]: RUN_JOB_WORKFLOW, "OTHER.md": "y\n" })).toEqual([]);
    expect(await pushed("hostile", { [WORKFLOW]: `a: &a [x]\n${"b: [*a, *a]\n".repeat(50)}` })).toHaveLength(1);
  });

  it("is told from a fork too, by one reading of its newest commit, and not of what was broken before it", async () => {
    const harness = await startHarness({ actions: false });
    const { github } = harness;
    const settle = async () => {
      harness.pass(5_000);
      await settled(harness);
    };
    const opened = async (files: Record<string, string>, branch: string) => {
      const number = github.openForkPullRequest(DEMO, { title: "Mend", by: "rex", files, branch });
      await settle();
      return { number, sha: github.pulls(DEMO).find((pull) => pull.number === number)?.headSha ?? "" };
    };
    const reads = () => github.calls().filter(({ graphql }) => graphql === "Files").length;

    const broken = await opened({ [FILE]: BROKEN }, "one");
    expect(checksOf(harness, broken.sha)).toMatchObject([{ conclusion: "failure", output: { title: "3 mistakes" } }]);
    expect(checksOf(harness, (await opened({ [FILE]: GOOD }, "two")).sha)).toEqual([]);
    expect(reads()).toBe(2);

    const pushes = ["a: 1\n", "b: 2\n", "limits: 3\n"].map((text) =>
      github.pushToFork(DEMO, broken.number, { [FILE]: text }),
    );
    await settle();
    expect(checksOf(harness, pushes.at(-1) ?? "")).toMatchObject([
      { output: { summary: expect.stringContaining("limits") } },
    ]);
    expect(reads()).toBe(3);

    await answered(harness, { [FILE]: BROKEN });
    expect(checksOf(harness, (await opened({ "OTHER.md": "z\n" }, "three")).sha)).toEqual([]);
  });
});
