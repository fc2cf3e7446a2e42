import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../../src/domain/job/job.ts";
import { ID, run, work } from "../unit/job-fixtures.ts";
import { type Bench, bench, command, FILES, Journey, REPO } from "./github-effects-harness.ts";

const BRIEF = { type: "push-brief", round: 1, attempt: 1 } as const;
const OWN =
  "egress: [evil.example]\ncontainer: {image: evil, setup: [evil]}\nforbidden_paths: []\nauto_merge:\n  enabled: true\n  required_checks: []\n";

describe("the branches of a repository", () => {
  let b: Bench;
  beforeEach(async () => {
    b = await bench({ ...FILES, ".github/journeyman.yml": "forbidden_paths: [legal/]\nlimits: {turns: 7}\n" });
    b.github.pushCommit(REPO, "release", { ".github/journeyman.yml": OWN }, "ada", "Settings of my own");
  });
  afterEach(() => b.close());

  const ran = (journey: Journey) => {
    const report = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    journey.tell({ type: "run-changed", run: run(), ...report });
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion: "success" }), ...report });
  };

  it("bring no settings of their own, neither to the brief nor to the verdict", async () => {
    const journey = new Journey(b, { base_branch: "release" });
    await journey.perform(BRIEF);
    expect(journey.job.settings).toMatchObject({ forbidden_paths: ["legal/"], limits: { turns: 7 } });
    expect(journey.job.settings?.egress).toBeUndefined();
    expect(journey.job.settings?.container).toBeUndefined();
    b.github.pushCommit(REPO, branchOf(ID), { "a.md": "a\n" }, "github-actions[bot]", "Work");
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    await journey.perform({ type: "open-pull-request", round: 1 });
    const told = command(await journey.perform({ type: "read-facts", runs: [] }));
    expect(told).toMatchObject({
      facts: { base: "release", settings: { auto_merge: { enabled: false }, forbidden_paths: ["legal/"] } },
    });
  });

  it.each(["before the result", "before the pull request", "before the verdict"])(
    "are followed when the default one gets another name %s",
    async (when) => {
      const rename = (at: string) => (when === at ? b.github.renameDefaultBranch(REPO, "trunk") : undefined);
      const journey = new Journey(b);
      await journey.perform(BRIEF);
      const head = b.github.pushCommit(REPO, branchOf(ID), { "a.md": "a\n" }, "github-actions[bot]", "Work");
      expect(head).not.toBe("");
      ran(journey);
      rename("before the result");
      await journey.perform({ type: "read-result", round: 1, attempt: 1 });
      expect(journey.job).toMatchObject({ status: "submitted", result: { changed_files: ["a.md"] } });
      rename("before the pull request");
      await journey.perform({ type: "open-pull-request", round: 1 });
      rename("before the verdict");
      const told = command(await journey.perform({ type: "read-facts", runs: [] }));
      expect(told).toMatchObject({ facts: { base: "trunk", base_renamed: true } });
    },
  );

  it("are followed by the next attempt, too", async () => {
    const journey = new Journey(b);
    await journey.perform(BRIEF);
    ran(journey);
    b.github.renameDefaultBranch(REPO, "trunk");
    journey.tell({
      ...{ type: "result-read", round: 1, attempt: 1, head_sha: journey.job.brief_sha ?? "" },
      result: work({ outcome: "failed", reason: "It broke." }),
    });
    await journey.perform({ type: "push-brief", round: 1, attempt: 2 });
    expect(journey.job).toMatchObject({ status: "queued", base: { branch: "trunk" }, brief_sha: expect.any(String) });
  });

  it("are not mixed up: a pull request that was put on the default one merges nothing meant for another", async () => {
    const journey = new Journey(b, { base_branch: "release" });
    await journey.perform(BRIEF);
    expect(journey.job.base).toMatchObject({ branch: "release", is_default: false });
  });

  it("leave no room for a job where one is called `job`, which is said after one reading", async () => {
    b.github.pushCommit(REPO, "job", { "x.txt": "x" }, "ada", "mine");
    const journey = new Journey(b);
    expect(await journey.callsOf(BRIEF)).toEqual(["graphql BranchState"]);
    expect(journey.job).toMatchObject({
      status: "failed",
      failure: "There is a branch `job`, and git cannot have `job/…` as well. Rename or delete it and try again.",
    });
  });

  it("are looked at again when GitHub refuses one for good, and never a third time", async () => {
    const known = new Journey(b);
    await known.perform(BRIEF);
    await known.perform({ type: "delete-branch" });
    b.github.pushCommit(REPO, "job", { "x.txt": "x" }, "ada", "mine");
    const journey = new Journey(b);
    const calls = await journey.callsOf(BRIEF);
    expect(calls).toEqual(["POST /:owner/:repo/git-receive-pack", "graphql BranchState"]);
    expect(journey.job).toMatchObject({ status: "failed", failure: expect.stringContaining("branch `job`") });
  });

  it("are given up when GitHub says no in words that name no race", async () => {
    const journey = new Journey(b);
    b.github.takePushes("not");
    b.github.faults.add({ match: { method: "POST", path: /git\/refs$/ }, status: 422, times: 99 });
    await journey.perform(BRIEF);
    expect(journey.job).toMatchObject({ status: "failed", failure: expect.stringContaining("blocks the App") });
  });
});
