/** What happens beside a job while it is under way: people, GitHub's own doings, events that never come. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DEMO } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { type House, startHouse, until, untilJob } from "./harness.ts";

const HELLO = "/job create HELLO.md that says hello";
const pullOf = (house: House) => house.github.pulls(DEMO)[0];

/** A job whose pull request is green and waits for a review, left to GitHub's own auto-merge. */
async function leftToGitHub(): Promise<{ readonly house: House; readonly job: Job }> {
  const house = await startHouse();
  house.github.protect(DEMO, "main", { requiredReviews: 1 });
  const { id } = await house.jobOf(house.ask(HELLO));
  await untilJob(house, id, "green", (one) => one.merge.state === "auto");
  await until("auto-merge to be on", () => pullOf(house)?.autoMerge);
  return { house, job: await house.job(id) };
}

const approve = (house: House): void =>
  house.github.review(DEMO, pullOf(house)?.number ?? 0, { state: "APPROVED", by: "ada" });

describe("GitHub's own auto-merge", () => {
  it("merges once the review is there", async () => {
    const { house, job } = await leftToGitHub();
    approve(house);
    await untilJob(house, job.id, "merged", (one) => one.merged_at !== null);
  });

  it("is taken back when somebody pushes, and what is red stays out however it is approved", async () => {
    const { house, job } = await leftToGitHub();
    house.github.pushCommit(DEMO, job.branch, { BROKEN: "broken" }, "ada");
    await until("auto-merge to be off", () => pullOf(house)?.autoMerge === false);
    approve(house);
    await house.town.idle();
    await until("the comment to say what it waits for", async () =>
      /checks? failed/.test(JSON.stringify((await house.job(job.id)).reasons)),
    );
    expect(pullOf(house)?.merged).toBe(false);

    house.github.pushCommit(DEMO, job.branch, { BROKEN: null }, "ada");
    await until("the head to be judged", async () => (await house.job(job.id)).head_sha === pullOf(house)?.headSha);
    await untilJob(house, job.id, "merged", (one) => one.merged_at !== null);
  });

  it("is off before a further round is pushed, however long that takes", async () => {
    const { house, job } = await leftToGitHub();
    house.github.faults.add({ match: { graphql: /DisableAutoMerge/ }, status: 502, times: 2 });
    house.github.resetCalls();
    house.github.comment(DEMO, pullOf(house)?.number ?? 0, { body: "/job append bye to HELLO.md", by: "ada" });
    await untilJob(house, job.id, "in its second round", (one) => one.round === 2 && one.brief_sha !== null);
    const calls = house.github.calls().map((call) => call.graphql ?? `${call.method} ${call.route}`);
    const off = calls.lastIndexOf("DisableAutoMerge");
    expect(off).toBeGreaterThanOrEqual(0);
    expect(calls.findIndex((call) => call.startsWith("POST") && call.endsWith("/git/trees"))).toBeGreaterThan(off);
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
      - run: |
          sleep 4
          exit 1
`;
  const house = await startHouse({ realRuns: true, files: { ".github/workflows/slow.yml": slow } });
  house.github.webhooks.drop(
    ({ event, payload }) => event === "workflow_run" && JSON.stringify(payload).includes("slow.yml"),
    { silently: true },
  );
  const { id } = await house.jobOf(house.ask(HELLO));
  const held = await untilJob(house, id, "held back", (one) =>
    /not complete|not done/.test(JSON.stringify(one.reasons)),
  );
  expect(held.status).toBe("submitted");
  await house.town.idle();
  await house.restart();
  await untilJob(house, id, "in its second try", (one) => one.tries === 2);
  expect(pullOf(house)?.merged).toBe(false);
});

describe("a person who", () => {
  it("merges the pull request while the agent is at work on it again has the last word", async () => {
    let stall = false;
    const house = await startHouse({
      settings: null,
      script: (request) => (stall ? ({ stall: true } as never) : defaultScript(request)),
    });
    const { id } = await house.jobOf(house.ask(HELLO));
    await untilJob(house, id, "verified", (one) => one.status === "verified");
    stall = true;
    const number = pullOf(house)?.number ?? 0;
    house.github.comment(DEMO, number, { body: "/job append bye to HELLO.md", by: "ada" });
    const { run } = await untilJob(house, id, "at work again", (one) => one.round === 2 && one.status === "accepted");
    await house.github.mergeByHand(DEMO, number, "ada");
    const merged = await untilJob(house, id, "merged", (one) => one.merged_at !== null);
    expect(merged.status).toBe("verified");
    await until("its run to be cancelled", () =>
      house.github.runs(DEMO).some((one) => one.id === run?.id && one.conclusion === "cancelled"),
    );
  });

  it("deletes the branch under the agent cancels the job and its run", async () => {
    const house = await startHouse({ script: () => ({ stall: true }) as never });
    const { id } = await house.jobOf(house.ask(HELLO));
    const { branch, run } = await untilJob(house, id, "at work", (one) => one.status === "accepted");
    house.github.deleteBranch(DEMO, branch, "ada");
    await untilJob(house, id, "cancelled", (one) => one.status === "cancelled");
    await until("its run to be cancelled", () =>
      house.github.runs(DEMO).some((one) => one.id === run?.id && one.conclusion === "cancelled"),
    );
    expect(Object.keys(house.github.branches(DEMO))).toEqual(["main"]);
  });

  it("closes the pull request in review does not want the job any more", async () => {
    const house = await startHouse({ files: { ".github/workflows/ci.yml": null } });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "in review", (one) => one.pull_request !== null);
    house.github.closePullRequest(DEMO, pullOf(house)?.number ?? 0, "ada");
    await untilJob(house, id, "cancelled", (one) => one.status === "cancelled");
    await until("the comment", () => /cancelled/i.test(house.comment(issue)));
  });

  it("takes the App away ends its jobs", async () => {
    const house = await startHouse({ script: () => ({ stall: true }) as never });
    const { id } = await house.jobOf(house.ask(HELLO));
    await untilJob(house, id, "at work", (one) => one.status === "accepted");
    house.github.uninstall(house.town.installation);
    await untilJob(house, id, "cancelled", (one) => one.status === "cancelled");
    for (const run of house.github.runs(DEMO)) house.github.actions.completeRun(run.id, "cancelled");
  });
});

describe("nothing is lost or done twice", () => {
  const once = async (house: House, issue: number): Promise<void> => {
    await house.town.idle();
    expect(house.github.comments(DEMO, issue).filter((one) => one.user.endsWith("[bot]"))).toHaveLength(1);
    expect(house.github.pulls(DEMO)).toHaveLength(1);
    expect(pullOf(house)?.merged).toBe(true);
  };

  it("when the news of runs come late, after everything that followed from them", async () => {
    const house = await startHouse();
    house.github.webhooks.delay(({ event, action }) => event === "workflow_run" && action !== "completed", 2_500);
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "merged", (one) => one.merged_at !== null);
    await once(house, issue);
    expect((await house.job(id)).attempt_count).toBe(1);
  });

  it("when GitHub breaks down over its queries, the last commit, the permission and the merge", async () => {
    // no run can hand in its result, so that the branch is read and has a last commit of the App's
    const house = await startHouse({}, { PUBLIC_URL: "" });
    const faults = [
      { match: { path: /\/collaborators\// } },
      { match: { graphql: /query BranchState/ } },
      { match: { graphql: /query Result/ } },
      { match: { graphql: /mutation Clean/ }, before: false },
      { match: { graphql: /query Facts/ } },
      { match: { method: "PUT", path: /\/merge$/ }, before: false },
    ];
    for (const fault of faults) house.github.faults.add({ ...fault, status: 502 });
    const issue = house.ask(HELLO);
    const { id } = await house.jobOf(issue);
    await untilJob(house, id, "merged", (one) => one.merged_at !== null);
    await once(house, issue);
    expect(house.github.faults.spent).toBe(true);
  });
});
