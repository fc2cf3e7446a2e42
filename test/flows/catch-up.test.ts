/** Pull requests that conflict with their base branch or are behind it, on one App and one repository. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueOf, type Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { openHarness, type SharedHarness, until, untilJob } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

const merged = (job: { merged_at: number | null }): boolean => job.merged_at !== null;

let harness: SharedHarness;
/** Called before the agent of a round begins. */
let before: (branch: string) => Promise<void> | void = () => {};

beforeAll(async () => {
  harness = await openHarness({
    files: { "LOG.md": "# Log\n" },
    playJob: (github) => {
      const play = scriptedRuns(github);
      return async (input) => {
        if (input.subject.path.endsWith("/run-job.yml")) await before(input.subject.trigger.headBranch);
        return play(input);
      };
    },
  });
});
afterAll(() => harness.close());
beforeEach(() => {
  before = () => {};
});

const read = (file: string, branch = "main"): string => harness.github.readFile(DEMO, branch, file) ?? "";
const numberOf = (job: Job): number => job.pull_request?.number ?? 0;

/** A job that has opened its pull request, which waits for a review. */
async function inReview(task: string): Promise<{ readonly job: Job; readonly issue: number }> {
  harness.github.protect(DEMO, "main", { requiredReviews: 1 });
  const issue = harness.ask(task);
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "green", (one) => one.status === "verified");
  await harness.sandbox.idle();
  return { job: await harness.job(id), issue };
}
const approve = (job: Job): void => void harness.github.review(DEMO, numberOf(job), { state: "APPROVED", by: "ada" });

/** The App spreads its writes over minutes, which need not be waited for in earnest. */
function skipBudget(): () => void {
  let calls = -1;
  const timer = setInterval(() => {
    const quiet = harness.github.isIdle && harness.github.calls().length === calls;
    calls = harness.github.calls().length;
    if (quiet) harness.pass(20_000);
  }, 500);
  return () => clearInterval(timer);
}

/** `CONFLICTING_JOBS=20` takes a minute or two, most of it at the limits that GitHub sets for writing. */
const PATIENCE_MS = 400_000;
const JOBS = Number(process.env.CONFLICTING_JOBS ?? 6);

it(`merges ${JOBS} pull requests that all touch one file, one after the other, with no person`, {
  timeout: PATIENCE_MS,
}, async () => {
  const { github } = harness;
  github.unprotect(DEMO, "main");
  github.resetCalls();
  const wanted = Array.from({ length: JOBS }, (_, at) => `line ${at + 1}`);
  const issues = wanted.map((line) => harness.ask(`/job append ${line} to LOG.md`));
  const jobs = await Promise.all(issues.map((issue) => harness.jobOf(issue)));
  const endSkipping = skipBudget();
  const landed = async () => (await Promise.all(jobs.map(({ id }) => harness.job(id)))).filter(merged).length;
  await until("all to be merged", async () => (await landed()) === jobs.length, PATIENCE_MS);
  endSkipping();
  expect(read("LOG.md").split("\n")).toEqual(expect.arrayContaining(wanted));
  for (const { id } of jobs) expect((await harness.job(id)).catch_up.failures).toBe(0);
  const runs = github
    .runs(DEMO)
    .filter(({ path, conclusion }) => path.endsWith("run-job.yml") && conclusion !== "skipped");
  const calls = github.calls().filter(({ actor }) => actor === "installation");
  const writes = calls.filter(({ kind }) => kind === "write").length;
  expect(runs.length, "each begins once, and resolves its conflict once").toBeLessThanOrEqual(2 * JOBS);
  process.stdout.write(
    `${JOBS} jobs on one file: ${runs.length} runs, ${calls.length - writes} reads, ${writes} writes\n`,
  );
});

describe("a conflict", () => {
  it("that a push to the base makes is named in comment and check, and resolved with both parents", async () => {
    const { job, issue } = await inReview("/job append mine to LOG.md");
    const gate = Promise.withResolvers<void>();
    before = () => gate.promise;
    const theirs = harness.github.pushCommit(DEMO, "main", { "LOG.md": "# Theirs\n" }, "ada");
    await until("the conflict to be named", () => /conflict/.test(harness.comment(issue)));
    const round = await untilJob(harness, job.id, "in a round", (one) => one.round === 2 && one.status === "accepted");
    await until("the comment to say what the round is for", () =>
      /resolves the conflicts with/.test(harness.comment(issue)),
    );
    const checks = harness.github.checkRuns(DEMO, round.brief_sha ?? "").filter(({ name }) => name === "journeyman");
    expect(JSON.stringify(checks)).toMatch(/resolves the conflicts/);
    gate.resolve();
    await untilJob(harness, job.id, "green again", (one) => one.status === "verified" && one.round === 2);
    const parents = harness.github.log(DEMO, job.branch).map((commit) => commit.parents);
    expect(parents.some((both) => both.length === 2 && both.includes(theirs))).toBe(true);
    approve(job);
    await untilJob(harness, job.id, "merged", merged);
    expect(read("LOG.md").split("\n")).toEqual(expect.arrayContaining(["# Theirs", "mine"]));
  });

  it("whose base moves during the round is resolved again, and costs nothing", async () => {
    const { job } = await inReview("/job create MOVES.md that says mine");
    const pushes = ["one\n", "two\n"];
    before = () => {
      const text = pushes.shift();
      if (text !== undefined) harness.github.pushCommit(DEMO, "main", { "MOVES.md": text }, "ada");
    };
    harness.github.pushCommit(DEMO, "main", { "MOVES.md": "zero\n" }, "ada");
    const again = await untilJob(
      harness,
      job.id,
      "resolved",
      (one) => one.round > 2 && one.status === "verified" && !one.catch_up.conflicts,
    );
    expect(again.catch_up).toMatchObject({ failures: 0, stuck: null });
    approve(job);
    await untilJob(harness, job.id, "merged", merged);
    expect(read("MOVES.md")).toMatch(/two[\s\S]*mine|mine[\s\S]*two/);
  });

  it("on whose branch somebody force-pushes in the middle of the round is begun anew, and that is said", async () => {
    const { job, issue } = await inReview("/job create FORCED.md that says mine");
    let pushed = false;
    const gate = Promise.withResolvers<void>();
    before = (branch) => {
      if (pushed) return gate.promise;
      pushed = true;
      harness.github.forcePush(DEMO, branch, { "FORCED.md": "forced\n" }, "ada");
      return undefined;
    };
    harness.github.pushCommit(DEMO, "main", { "FORCED.md": "theirs\n" }, "ada");
    await until("the comment to say so", () => /Somebody pushed to/.test(harness.comment(issue)));
    gate.resolve();
    const again = await untilJob(
      harness,
      job.id,
      "resolved",
      (one) => one.status === "verified" && !one.catch_up.conflicts,
    );
    expect(again.catch_up.failures).toBe(0);
    approve(job);
    await untilJob(harness, job.id, "merged", merged);
    expect(read("FORCED.md")).toMatch(/forced/);
  });

  it("that the agent leaves twice is left to a person, whose push merges it", async () => {
    const { model } = harness.sandbox;
    const LEFT = "The pull request of this job conflicts";
    model.setScript((request) =>
      defaultScript(JSON.parse(JSON.stringify(request).replace(new RegExp(`${LEFT}[^<]*`, "g"), "do nothing\\n"))),
    );
    const { job, issue } = await inReview("/job create LEFT.md that says mine");
    harness.github.pushCommit(DEMO, "main", { "LEFT.md": "theirs\n" }, "ada");
    await until("a person to be asked", () => /two rounds to resolve them failed/.test(harness.comment(issue)));
    const told = harness.github.comments(DEMO, issue).filter(({ body }) => body.startsWith("@"));
    expect(told).toMatchObject([{ body: expect.stringMatching(/^@ada, pull request .* cannot merge by itself: two/) }]);
    model.setScript(defaultScript);
    await harness.sandbox.idle();
    expect(await harness.job(job.id)).toMatchObject({ round: 3, merged_at: null });
    harness.github.pushCommit(
      DEMO,
      job.branch,
      { "LEFT.md": "both\n" },
      "ada",
      "Both",
      harness.github.branches(DEMO).main,
    );
    approve(job);
    await untilJob(harness, job.id, "merged", merged);
    expect(read("LEFT.md")).toBe("both\n");
  });

  it("of a job that is not merged by itself is only said", async () => {
    harness.github.unprotect(DEMO, "main");
    const issue = harness.ask("/job --draft create DRAFT.md that says mine");
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "green", (one) => one.status === "verified");
    harness.github.pushCommit(DEMO, "main", { "DRAFT.md": "theirs\n" }, "ada");
    await until("the conflict to be named", () =>
      /conflicts with the base branch; resolve the conflicts/.test(harness.comment(issue)),
    );
    await harness.sandbox.idle();
    expect(await harness.job(id)).toMatchObject({ round: 1, catch_up: { turn: null } });
  });
});

describe("a base branch other than the default one", () => {
  const NEXT = "next";
  /** A job that is asked for on a person's pull request and is for its branch. */
  async function onNext(task: string, branch = NEXT): Promise<Job> {
    harness.github.unprotect(DEMO, "main");
    harness.github.pushCommit(DEMO, branch, { "NEXT.md": "next\n" }, "ada");
    harness.github.protect(DEMO, branch, { requiredReviews: 1 });
    const pull = harness.github.openPullRequest(DEMO, { title: "Next", head: branch, by: "ada" });
    harness.github.comment(DEMO, pull, { body: task, by: "ada" });
    const { id } = await harness.jobOf(pull);
    await untilJob(harness, id, "green", (one) => one.status === "verified");
    await harness.sandbox.idle();
    return harness.job(id);
  }

  it("is heard as well: a conflict with it is named and resolved", async () => {
    const job = await onNext("/job append mine to NEXT.md");
    expect(job.base.branch).toBe(NEXT);
    harness.github.pushCommit(DEMO, NEXT, { "NEXT.md": "theirs\n" }, "ada");
    await untilJob(harness, job.id, "in a round", (one) => one.round === 2);
    await untilJob(harness, job.id, "resolved", (one) => one.status === "verified" && !one.catch_up.conflicts);
    approve(job);
    await untilJob(harness, job.id, "merged", merged);
    expect(read("NEXT.md", NEXT)).toMatch(/theirs[\s\S]*mine|mine[\s\S]*theirs/);
  });

  it("that is deleted closes the pull request, and the comment says what happened and what to do", async () => {
    const job = await onNext("/job create GONE.md that says mine", "gone");
    harness.github.deleteBranch(DEMO, "gone", "ada");
    await until("the comment to say so", () =>
      /Its base branch gone was deleted.*Restore the branch/.test(harness.comment(issueOf(job.origin) ?? 0)),
    );
    await untilJob(harness, job.id, "no longer to be merged", (one) => one.merge.state === "off");
  });

  it("that is merged and deleted leaves GitHub's new base unmerged, and the comment says so", async () => {
    const job = await onNext("/job create STACKED.md that says mine", "stacked");
    const first = harness.github.pulls(DEMO).find(({ head }) => head === "stacked");
    await harness.github.mergeByHand(DEMO, first?.number ?? 0, "ada");
    harness.github.deleteBranch(DEMO, "stacked", "ada");
    await until("the comment to say so", () =>
      /stacked was deleted and GitHub has made main its base/.test(
        harness.comment(issueOf(job.origin) ?? 0).replaceAll("\\", ""),
      ),
    );
    expect((await harness.job(job.id)).merged_at).toBeNull();
  });
});

describe("a pull request that must be up to date", () => {
  const strict = () => harness.github.protect(DEMO, "main", { requiredChecks: ["test"], strict: true });
  const updates = () =>
    harness.github.calls().filter(({ route, status }) => route.endsWith("/update-branch") && status === 202).length;

  it("is updated by GitHub and merges, one after the other, with no further run of the agent", async () => {
    strict();
    harness.github.resetCalls();
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    before = () => {
      begun += 1;
      if (begun === 3) gate.resolve();
      return gate.promise;
    };
    const issues = ["A.md", "B.md", "C.md"].map((file) => harness.ask(`/job create ${file} that says it`));
    const jobs = await Promise.all(issues.map((issue) => harness.jobOf(issue)));
    for (const { id } of jobs) expect(await untilJob(harness, id, "merged", merged)).toMatchObject({ round: 1 });
    expect(updates()).toBeGreaterThan(0);
    expect(updates(), "each at most once").toBeLessThan(jobs.length);
  });

  it("and whose base has changed workflow files waits for a person to press “Update branch”, with no attempt lost", async () => {
    strict();
    const gate = Promise.withResolvers<void>();
    before = () => gate.promise;
    const issue = harness.ask("/job create PRESSED.md that says it");
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "at work", (one) => one.status === "accepted");
    harness.github.pushCommit(
      DEMO,
      "main",
      { ".github/workflows/other.yml": "on: workflow_dispatch\njobs: {}\n" },
      "ada",
    );
    gate.resolve();
    await until("the comment to say who presses", () =>
      /changed workflow files, which the App may not push; press “Update branch”/.test(harness.comment(issue)),
    );
    const job = await harness.job(id);
    expect(job).toMatchObject({ attempt_count: 1, round: 1, merged_at: null });
    await harness.github.updateBranch(DEMO, numberOf(job), "ada");
    await untilJob(harness, id, "merged", merged);
  });

  it("is updated all the same where GitHub lets the App bring workflow files that the base has", async () => {
    strict();
    harness.github.setRepository(DEMO, { appsUpdateWorkflows: true });
    const gate = Promise.withResolvers<void>();
    before = () => gate.promise;
    const { id } = await harness.jobOf(harness.ask("/job create BROUGHT.md that says it"));
    await untilJob(harness, id, "at work", (one) => one.status === "accepted");
    harness.github.pushCommit(
      DEMO,
      "main",
      { ".github/workflows/more.yml": "on: workflow_dispatch\njobs: {}\n" },
      "ada",
    );
    gate.resolve();
    await untilJob(harness, id, "merged", merged);
  });
});
