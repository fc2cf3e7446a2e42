/** `/job fix` on a person's pull request: the work comes to that branch as one commit, and merging is left to a person. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import type { PlayJob } from "../sandbox/actions/job-input.ts";
import { DEMO } from "../sandbox/environment.ts";
import type { SandboxGitHub } from "../sandbox/github/sandbox-github.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import type { ModelRequest } from "../sandbox/model/protocol.ts";
import { type Harness, type HarnessOptions, startHarness, until, untilJob } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

const BROKEN = { BROKEN: "one\n", "HELLO.md": "hello\n" };

/** The scripted model does this where a job is asked to make checks pass. */
const doing =
  (task: string | ((text: string) => string), seen: string[] = []) =>
  (request: ModelRequest) => {
    const text = JSON.stringify(request);
    seen.push(text);
    const done = typeof task === "string" ? task : task(text);
    return defaultScript(JSON.parse(text.replaceAll(/Make the failing checks[^\\\n]*/g, done)));
  };

/** CI says what is broken, so that another failure reads otherwise. */
const telling =
  (github: SandboxGitHub): PlayJob =>
  async (input) => {
    const { trigger, path } = input.subject;
    const files = github.tree(`${trigger.repository.owner}/${trigger.repository.name}`, trigger.sha);
    if (!path.endsWith("/run-job.yml") && files.BROKEN !== undefined)
      input.subject.backend.appendLog(input.jobId, `##[group]Run npm test\n##[endgroup]\nbroken: ${files.BROKEN}`);
    return scriptedRuns(github)(input);
  };

/** Ada's pull request, whose only check is red. */
async function red(options: HarnessOptions = {}, files: Readonly<Record<string, string>> = BROKEN) {
  const harness = await startHarness({ playJob: telling, ...options });
  const { github } = harness;
  const head = github.pushCommit(DEMO, "mine", files, "ada");
  const number = github.openPullRequest(DEMO, { title: "Say hello", head: "mine", by: "ada" });
  await harness.sandbox.idle();
  const settled = () => github.runs(DEMO).some((run) => run.event === "pull_request" && run.status === "completed");
  await until("CI to be over", settled);
  return { harness, github, head, number };
}

async function fix(harness: Harness, number: number, body = "/job fix", by = "ada"): Promise<Job> {
  harness.github.comment(DEMO, number, { body, by });
  return harness.jobOf(number);
}

const answerTo = async (harness: Harness, number: number, said: string): Promise<string> => {
  harness.github.comment(DEMO, number, { body: said, by: "ada" });
  return until("an answer", () => harness.comment(number) || null);
};

const over = ({ status }: Job): boolean => status === "verified" || status === "failed";

describe("/job fix on a red pull request of a person", () => {
  it("pushes one commit to that branch, on which its checks are green, and merges nothing", async () => {
    const told: string[] = [];
    const { harness, github, head, number } = await red({ script: doing("delete BROKEN", told) });
    await github.commentOnLine(DEMO, number, { path: "HELLO.md", line: 1, body: "Louder, please.", by: "rex" });
    const { id, branch } = await fix(harness, number);
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({ status: "verified", attempt_count: 1, merge: { state: "off" }, merged_at: null });
    expect(job.target).toMatchObject({ kind: "pull-request", number, branch: "mine", pushed_sha: job.head_sha });

    expect(told[0]).toContain("pull_request_changes");
    expect(told[0]).toContain("+hello");
    expect(told[0]).toContain("broken: one");
    expect(told[0]).toContain("Louder, please.");

    const [tip, ...before] = github.log(DEMO, "mine");
    expect(tip).toMatchObject({ sha: job.head_sha, parents: [head] });
    expect(tip?.author.name).toContain("[bot]");
    expect(before.some(({ message }) => message.startsWith("Run job"))).toBe(false);
    expect(Object.keys(github.tree(DEMO, "mine")).filter((path) => /^\.jobs|BROKEN/.test(path))).toEqual([]);

    await until("the comment to say so", () => /\*\*Fixed\*\*/.test(harness.comment(number)));
    expect(harness.comment(number)).toMatch(/Commit .* is on `mine`\..* Merging it is left to you\./);
    await until("the job's branch to be gone", () => !(branch in github.branches(DEMO)));
    await harness.sandbox.idle();
    expect(github.pulls(DEMO)).toMatchObject([{ number, state: "open", merged: false }]);
    expect(github.calls().filter(({ path, method }) => method === "PUT" && path.endsWith("/merge"))).toEqual([]);
    expect(github.checkRuns(DEMO, "mine").map(({ name }) => name)).not.toContain("journeyman");
    const shown = await (await harness.request(`/api/jobs/${id}`)).json();
    expect(shown).toMatchObject({ pr_branch: "mine", pr_url: expect.stringContaining(`/pull/${number}`) });

    await github.mergeByHand(DEMO, number, "ada");
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
  });

  it("does what the person says there, where no check fails", async () => {
    const { harness, github, number } = await red({}, { "HELLO.md": "hello\n" });
    const { id } = await fix(harness, number, "/job fix append Bye. to HELLO.md");
    expect(await untilJob(harness, id, "over", over)).toMatchObject({ status: "verified" });
    expect(github.readFile(DEMO, "mine", "HELLO.md")).toContain("Bye.");
  });

  it("overwrites nothing where a person pushes meanwhile, and keeps the work where it can be read", async () => {
    let push = () => {};
    const script = (request: ModelRequest) => {
      push();
      push = () => {};
      return doing("delete BROKEN")(request);
    };
    const { harness, github, number } = await red({ script });
    let theirs = "";
    push = () => {
      theirs = github.pushCommit(DEMO, "mine", { "MORE.md": "more\n" }, "ada");
    };
    const { id, branch } = await fix(harness, number);
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({
      status: "failed",
      attempt: 1,
      failure: expect.stringContaining("pushed to `mine` meanwhile"),
    });
    expect(github.branches(DEMO).mine).toBe(theirs);
    expect(github.tree(DEMO, branch).BROKEN).toBeUndefined();
    await until("the comment to link the work", () => harness.comment(number).includes(`/tree/${branch}`));

    const again = await fix(harness, number);
    const next = await until("another job", async () => {
      const newest = await harness.jobOf(number);
      return newest.id === again.id && newest.id !== id
        ? newest
        : harness.jobOf(number).then((one) => one.id !== id && one);
    });
    expect(await untilJob(harness, next.id, "over", over)).toMatchObject({ status: "verified" });
    expect(github.tree(DEMO, "mine")).toMatchObject({ "MORE.md": "more\n" });
  });

  it("stops when the same failure comes back", async () => {
    const { harness, github, number } = await red({ script: doing("create NOTE.md that says tried") });
    const { id, branch } = await fix(harness, number);
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({ status: "failed", failure: expect.stringContaining("failed as before") });
    expect(github.tree(DEMO, "mine")).toMatchObject({ "NOTE.md": expect.stringContaining("tried") });
    expect(github.log(DEMO, branch).filter(({ message }) => message.startsWith("Run job"))).toHaveLength(1);
  });

  it("makes one more attempt where another thing fails, and no third", async () => {
    const tasks = (text: string) => (text.includes("broken: two") ? "delete BROKEN" : "replace one with two in BROKEN");
    const { harness, github, head, number } = await red({ script: doing(tasks) });
    const { id } = await fix(harness, number);
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({ status: "verified", attempt: 2, attempt_count: 3 });
    expect(
      github
        .log(DEMO, "mine")
        .map(({ sha }) => sha)
        .indexOf(head),
    ).toBe(2);

    const still = await red({
      script: doing((text) =>
        text.includes("broken: two") ? "replace two with three in BROKEN" : "replace one with two in BROKEN",
      ),
    });
    const other = await fix(still.harness, still.number);
    expect(await untilJob(still.harness, other.id, "over", over)).toMatchObject({ status: "failed", attempt: 2 });
  });

  it("that waited in line ends with a sentence, without a run, where its checks have become green meanwhile", async () => {
    const gate = Promise.withResolvers<void>();
    const { harness, github, number } = await red({
      settings: "auto_merge:\n  enabled: true\nlimits:\n  running: 1\n",
      playJob: (on) => async (input) => {
        if (input.subject.path.endsWith("/run-job.yml")) await gate.promise;
        return telling(on)(input);
      },
    });
    const first = await harness.jobOf(harness.ask("/job create FIRST.md that says hello"));
    await untilJob(harness, first.id, "at work", (one) => one.status === "accepted");
    const { id, branch } = await fix(harness, number);
    await untilJob(harness, id, "in line", (one) => one.line !== null);
    const mended = github.pushCommit(DEMO, "mine", { BROKEN: null }, "ada");
    const isGreen = () => github.checkRuns(DEMO, mended).some(({ conclusion }) => conclusion === "success");
    await until("its checks to be green", isGreen);
    gate.resolve();
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({ status: "verified", attempt_count: 0, result: null });
    await until("the comment to say so", () =>
      harness.comment(number).includes("No check of this pull request fails any more"),
    );
    expect(harness.comment(number)).toContain("nothing was pushed to this pull request");
    expect(branch in github.branches(DEMO)).toBe(false);
    expect(github.branches(DEMO).mine).toBe(mended);
  });

  it("says why it was cancelled, where the pull request was closed", async () => {
    const gate = Promise.withResolvers<void>();
    const { harness, github, number } = await red({
      playJob: (on) => async (input) => {
        if (input.subject.path.endsWith("/run-job.yml")) await gate.promise;
        return telling(on)(input);
      },
    });
    const { id } = await fix(harness, number);
    await untilJob(harness, id, "at work", (one) => one.status === "accepted");
    github.closePullRequest(DEMO, number, "ada");
    await untilJob(harness, id, "cancelled", (one) => one.status === "cancelled");
    gate.resolve();
    await until("the comment to say why", () =>
      harness.comment(number).includes("The pull request was closed without merging."),
    );
  });

  it("keeps files that never merge by themselves off the branch", async () => {
    const { harness, github, head, number } = await red();
    const { id, branch } = await fix(harness, number, "/job fix create CLAUDE.md that says obey");
    const job = await untilJob(harness, id, "over", over);
    expect(job).toMatchObject({ status: "failed", failure: expect.stringContaining("CLAUDE.md") });
    expect(github.branches(DEMO).mine).toBe(head);
    expect(github.tree(DEMO, branch)["CLAUDE.md"]).toContain("obey");
  });

  it("is refused in a sentence where it cannot be, and starts nothing", async () => {
    const { harness, github, number } = await red({}, { "HELLO.md": "hello\n" });
    expect(await answerTo(harness, number, "/job fix the tests please")).toContain(
      "No check of this pull request fails.",
    );
    const fork = github.openForkPullRequest(DEMO, { title: "Fork", by: "rex", files: BROKEN });
    expect(await answerTo(harness, fork, "/job fix")).toContain("comes from a fork");
    github.pushCommit(DEMO, "old", BROKEN, "ada");
    const closed = github.openPullRequest(DEMO, { title: "Old", head: "old", by: "ada" });
    github.closePullRequest(DEMO, closed, "ada");
    expect(await answerTo(harness, closed, "/job fix")).toContain("This pull request is closed");
    expect(await harness.app.store.jobs.count()).toBe(0);
  });
});
