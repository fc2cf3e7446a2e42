/** How a job's work comes to the branch of a person's pull request, in what GitHub sees. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jobFolder, RESULT_FILE } from "../../src/contracts/brief.ts";
import type { Effect } from "../../src/domain/job/effect.ts";
import { branchOf } from "../../src/domain/job/job.ts";
import type { FileMap } from "../sandbox/github/main.ts";
import { ID, run } from "../unit/job-fixtures.ts";
import { type Bench, bench, command, FILES, Journey, REPO } from "./github-effects-harness.ts";

const BRIEF = { type: "push-brief", round: 1, attempt: 1 } as const;
const PUSH = { type: "push-to-pull-request", round: 1, attempt: 1 } as const satisfies Effect;

describe("the branch of a person's pull request", () => {
  let b: Bench;
  let number = 0;
  let head = "";

  beforeEach(async () => {
    b = await bench({ ...FILES, ".github/journeyman.yml": "forbidden_paths: [legal/]\n" });
    head = b.github.pushCommit(REPO, "mine", { "a.md": "a\n" }, "ada");
    number = b.github.openPullRequest(REPO, { title: "Mine", head: "mine", by: "ada" });
  });
  afterEach(() => b.close());

  /** A job whose run has pushed these files beside the result. */
  async function worked(files: FileMap): Promise<Journey> {
    const target = { number, url: `${b.github.url}/octo/demo/pull/${number}`, branch: "mine" };
    const journey = new Journey(b, {
      base_branch: "mine",
      target,
      origin: { kind: "comment", issue: number, comment_id: 70 },
    });
    await journey.perform(BRIEF);
    const at = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    const result = {
      [`${jobFolder(ID)}/${RESULT_FILE}`]: JSON.stringify({
        version: 1,
        outcome: "done",
        title: "Say hello",
        body: "Said.",
      }),
    };
    b.github.pushByRun(REPO, branchOf(ID), { ...files, ...result }, "Work");
    journey.tell({ type: "run-changed", run: run(), ...at });
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion: "success" }), ...at });
    await journey.perform({ type: "read-result", round: 1, attempt: 1 });
    expect(journey.job.status).toBe("submitted");
    return journey;
  }
  const tip = () => b.github.branches(REPO).mine;

  it("gets one commit on its head, and the same one however often it is done", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    const before = journey.job;
    // the first two are spared where the run has pushed with the App's token
    expect(await journey.callsOf(PUSH)).toEqual([
      ...["graphql Folder", "graphql Clean", "graphql TheirBranch", "GET /repos/:owner/:repo/compare/*range"],
      ...["POST /repos/:owner/:repo/git/commits", "PATCH /repos/:owner/:repo/git/refs/*ref"],
    ]);
    const [commit] = b.github.log(REPO, "mine");
    expect(journey.job).toMatchObject({ head_sha: commit?.sha, target: { pushed_sha: commit?.sha } });
    expect(commit).toMatchObject({ parents: [head] });
    expect(Object.keys(b.github.tree(REPO, "mine")).some((path) => path.startsWith(".jobs"))).toBe(false);
    const again = await b.performer.perform(PUSH, before, true);
    expect(command(again)).toMatchObject({ type: "work-pushed", head_sha: commit?.sha });
    expect(tip()).toBe(commit?.sha);
  });

  it.each<[string, FileMap, string]>([
    ["what never merges by itself", { "AGENTS.md": "obey\n", "HELLO.md": "hello\n" }, "AGENTS.md"],
    ["what the settings forbid", { "legal/terms.md": "new\n" }, "legal/terms.md"],
  ])("never gets %s", async (_what, files, named) => {
    const journey = await worked(files);
    await journey.perform(PUSH);
    expect(journey.job).toMatchObject({ status: "failed", failure: expect.stringContaining(named) });
    expect(tip()).toBe(head);
  });

  it("is left as it is where somebody was quicker", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    const theirs = b.github.pushCommit(REPO, "mine", { "b.md": "b\n" }, "ada");
    expect(command(await b.performer.perform(PUSH, journey.job, false))).toMatchObject({
      type: "work-stopped",
      sentence: expect.stringContaining("Somebody pushed to `mine` meanwhile"),
    });
    expect(tip()).toBe(theirs);
  });

  it("is left as it is while GitHub refuses the push, which is told in its words", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    b.github.protect(REPO, "mine", { requiredReviews: 1 });
    await journey.perform(PUSH);
    expect(journey.job.failure).toMatch(/does not let the App push to `mine`: `.*pull request.*`/);
    expect(tip()).toBe(head);
  });

  it("gets nothing once the pull request is closed", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    b.github.closePullRequest(REPO, number, "ada");
    await journey.perform(PUSH);
    expect(journey.job.failure).toContain("is not open any more");
    expect(tip()).toBe(head);
  });

  it("gets nothing where the work changes nothing", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    b.github.pushByRun(REPO, branchOf(ID), { "HELLO.md": null }, "Undo");
    const report = command(await b.performer.perform(PUSH, journey.job, false));
    expect(report).toMatchObject({ type: "nothing-to-open" });
  });

  it("is what the brief is cut from, which shows its changes, and nothing of a pull request that is gone", async () => {
    const journey = await worked({ "HELLO.md": "hello\n" });
    const config = b.github.readFile(REPO, journey.job.brief_sha ?? "", `${jobFolder(ID)}/job.config.json`);
    expect(JSON.parse(config ?? "null")).toMatchObject({
      base: { branch: "mine", sha: head },
      pull_request: number,
      their_pull_request: {
        number,
        branch: "mine",
        files: [{ path: "a.md", status: "added" }],
        more_files: 0,
        threads: [],
      },
    });
    b.github.closePullRequest(REPO, number, "ada");
    const second = await b.performer.perform(
      { ...BRIEF, attempt: 2 },
      { ...journey.job, status: "queued", attempt: 2 },
      false,
    );
    expect(command(second)).toMatchObject({ type: "work-stopped", sentence: expect.stringContaining("not open") });
  });
});
