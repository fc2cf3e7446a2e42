/** Things that happen while a job is under way: people, GitHub itself, events that never come. */
import { describe, expect, it } from "vitest";
import { type Job, runOf } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { scriptedRuns } from "./scripted-runs.ts";

const HELLO = "/job create HELLO.md that says hello";
const pullOf = (harness: Harness) => harness.github.pulls(DEMO)[0];

/** A job whose pull request is green and waits for a review, left to GitHub's own auto-merge. */
async function leftToGitHub(): Promise<{ readonly harness: Harness; readonly job: Job }> {
  const harness = await startHarness();
  harness.github.protect(DEMO, "main", { requiredReviews: 1 });
  const { id } = await harness.jobOf(harness.ask(HELLO));
  await untilJob(harness, id, "green", (one) => one.merge.state === "auto");
  await until("auto-merge to be on", () => pullOf(harness)?.autoMerge);
  return { harness, job: await harness.job(id) };
}

const approve = (harness: Harness): number =>
  harness.github.review(DEMO, pullOf(harness)?.number ?? 0, { state: "APPROVED", by: "ada" });

describe("GitHub's own auto-merge", () => {
  it("merges once the review is there", async () => {
    const { harness, job } = await leftToGitHub();
    approve(harness);
    await untilJob(harness, job.id, "merged", (one) => one.merged_at !== null);
  });

  it("is taken back when somebody pushes, and what is red stays out however it is approved", async () => {
    const { harness, job } = await leftToGitHub();
    harness.github.pushCommit(DEMO, job.branch, { BROKEN: "broken" }, "ada");
    await until("auto-merge to be off", () => pullOf(harness)?.autoMerge === false);
    approve(harness);
    await harness.sandbox.idle();
    await until("the comment to say what it waits for", async () =>
      /checks? failed/.test(JSON.stringify((await harness.job(job.id)).reasons)),
    );
    expect(pullOf(harness)?.merged).toBe(false);

    harness.github.pushCommit(DEMO, job.branch, { BROKEN: null }, "ada");
    await until("the head to be judged", async () => (await harness.job(job.id)).head_sha === pullOf(harness)?.headSha);
    await untilJob(harness, job.id, "merged", (one) => one.merged_at !== null);
  });

  it("is off once somebody cancels the job, and an approval merges nothing", async () => {
    const { harness, job } = await leftToGitHub();
    const number = pullOf(harness)?.number ?? 0;
    harness.github.comment(DEMO, number, { body: "/job cancel", by: "ada" });
    await until("auto-merge to be off", () => pullOf(harness)?.autoMerge === false);
    await untilJob(harness, job.id, "not to be merged", (one) => one.merge.state === "off");
    approve(harness);
    await harness.sandbox.idle();
    expect(pullOf(harness)).toMatchObject({ state: "open", merged: false });
  });

  it("is off before a further round is pushed, however long that takes", async () => {
    const { harness, job } = await leftToGitHub();
    harness.github.faults.add({ match: { graphql: /DisableAutoMerge/ }, status: 502, times: 2 });
    harness.github.resetCalls();
    harness.github.comment(DEMO, pullOf(harness)?.number ?? 0, { body: "/job append bye to HELLO.md", by: "ada" });
    await untilJob(harness, job.id, "in its second round", (one) => one.round === 2 && one.brief_sha !== null);
    const calls = harness.github.calls().map((call) => call.graphql ?? `${call.method} ${call.route}`);
    const off = calls.lastIndexOf("DisableAutoMerge");
    expect(off).toBeGreaterThanOrEqual(0);
    expect(calls.findIndex((call) => call.startsWith("POST") && call.endsWith("/git-receive-pack"))).toBeGreaterThan(
      off,
    );
  });
});

it("does not merge while a workflow runs of which no webhook has told", async () => {
  const slow = `name: Slow
on:
  pull_request:
jobs:
  slow:
    runs-on: ubuntu-latest
    steps:
      - run: exit 1
`;
  const gate = Promise.withResolvers<void>();
  const harness = await startHarness({
    files: { ".github/workflows/slow.yml": slow },
    playJob: (github) => {
      const others = scriptedRuns(github);
      return async (input) => {
        if (!input.subject.path.endsWith("/slow.yml")) return others(input);
        await gate.promise;
        return { conclusion: "failure", outputs: {} };
      };
    },
  });
  harness.github.webhooks.drop(
    ({ event, payload }) => event === "workflow_run" && JSON.stringify(payload).includes("slow.yml"),
    { silently: true },
  );
  const { id } = await harness.jobOf(harness.ask(HELLO));
  const held = await untilJob(harness, id, "held back", (one) =>
    /not complete|not done/.test(JSON.stringify(one.reasons)),
  );
  expect(held.status).toBe("submitted");
  gate.resolve();
  await harness.sandbox.idle();
  await harness.restart();
  await untilJob(harness, id, "in its second attempt", (one) => one.attempt === 2);
  expect(pullOf(harness)?.merged).toBe(false);
});

describe("a person who", () => {
  it("merges the pull request while the agent is at work on it again has the last word", async () => {
    let stall = false;
    const harness = await startHarness({
      settings: null,
      script: (request) => (stall ? ({ stall: true } as never) : defaultScript(request)),
    });
    const { id } = await harness.jobOf(harness.ask(HELLO));
    await untilJob(harness, id, "verified", (one) => one.status === "verified");
    stall = true;
    const number = pullOf(harness)?.number ?? 0;
    harness.github.comment(DEMO, number, { body: "/job append bye to HELLO.md", by: "ada" });
    const again = await untilJob(harness, id, "at work again", (one) => one.round === 2 && one.status === "accepted");
    const run = runOf(again);
    await harness.github.mergeByHand(DEMO, number, "ada");
    const merged = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    expect(merged.status).toBe("verified");
    await until("its run to be cancelled", () =>
      harness.github.runs(DEMO).some((one) => one.id === run?.id && one.conclusion === "cancelled"),
    );
  });

  it("deletes the branch under the agent cancels the job and its run", async () => {
    const harness = await startHarness({ script: () => ({ stall: true }) as never });
    const { id } = await harness.jobOf(harness.ask(HELLO));
    const running = await untilJob(harness, id, "at work", (one) => one.status === "accepted");
    const { branch } = running;
    const run = runOf(running);
    harness.github.deleteBranch(DEMO, branch, "ada");
    await untilJob(harness, id, "cancelled", (one) => one.status === "cancelled");
    await until("its run to be cancelled", () =>
      harness.github.runs(DEMO).some((one) => one.id === run?.id && one.conclusion === "cancelled"),
    );
    expect(Object.keys(harness.github.branches(DEMO))).toEqual(["main"]);
  });

  it("closes the pull request in review does not want the job any more", async () => {
    const harness = await startHarness({ files: { ".github/workflows/ci.yml": null } });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "in review", (one) => one.pull_request !== null);
    harness.github.closePullRequest(DEMO, pullOf(harness)?.number ?? 0, "ada");
    await untilJob(harness, id, "cancelled", (one) => one.status === "cancelled");
    await until("the comment", () => /cancelled/i.test(harness.comment(issue)));
  });

  it("takes the App away ends its jobs", async () => {
    const harness = await startHarness({ script: () => ({ stall: true }) as never });
    const { id } = await harness.jobOf(harness.ask(HELLO));
    await untilJob(harness, id, "at work", (one) => one.status === "accepted");
    harness.github.uninstall(harness.sandbox.installation);
    await untilJob(harness, id, "cancelled", (one) => one.status === "cancelled");
    for (const run of harness.github.runs(DEMO)) harness.github.actions.completeRun(run.id, "cancelled");
  });
});

describe("nothing is lost or done twice", () => {
  const once = async (harness: Harness, issue: number): Promise<void> => {
    await harness.sandbox.idle();
    expect(harness.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(harness.github.pulls(DEMO)).toHaveLength(1);
    expect(pullOf(harness)?.merged).toBe(true);
  };

  it("when the news of runs come late, after everything that followed from them", async () => {
    const harness = await startHarness();
    harness.github.webhooks.delay(({ event, action }) => event === "workflow_run" && action !== "completed", 2_500);
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    await once(harness, issue);
    expect((await harness.job(id)).attempt_count).toBe(1);
  });

  it("when GitHub breaks down over its queries, the last commit, the permission and the merge", async () => {
    // no run can hand in its result, so that the branch is read and has a last commit of the App's
    const harness = await startHarness({}, { PUBLIC_URL: "" });
    const faults = [
      { match: { path: /\/collaborators\// } },
      { match: { graphql: /query BranchState/ } },
      { match: { graphql: /query Result/ } },
      { match: { graphql: /mutation Clean/ }, before: false },
      { match: { graphql: /query Facts/ } },
      { match: { method: "PUT", path: /\/merge$/ }, before: false },
    ];
    for (const fault of faults) harness.github.faults.add({ ...fault, status: 502 });
    const issue = harness.ask(HELLO);
    const { id } = await harness.jobOf(issue);
    await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    await once(harness, issue);
    expect(harness.github.faults.spent).toBe(true);
  });
});
