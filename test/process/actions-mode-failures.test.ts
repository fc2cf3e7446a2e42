/** Failures in Actions mode: untrusted callers, errors, repeated runs, concurrent events. */
import { describe, expect, it } from "vitest";
import { DEMO, READER, WRITER } from "../sandbox/environment.ts";
import { jobRuns, SHELF, said, startActionHarness, stateOf, states } from "./action-harness.ts";

const LONG_MS = 240_000;
const BOT = "github-actions[bot]";

describe("who is believed", () => {
  it("somebody who may not ask gets a confused face, and nothing is written", async () => {
    const here = await startActionHarness();
    const issue = here.ask("/job create HELLO.md that says hello", READER);
    const step = await here.until("the face", () => here.steps[0]);
    expect(step).toMatchObject({ code: 0 });
    expect(here.github.comments(DEMO, issue).map(({ reactions }) => reactions)).toEqual([["confused"]]);
    expect(Object.keys(here.github.branches(DEMO))).toEqual(["main"]);
    expect(states(here)).toEqual([]);
  });

  it("a marker is a hint from us alone, and never a job of another issue", { timeout: LONG_MS }, async () => {
    // a job that ends at once, since nothing would run it
    const here = await startActionHarness({ workflow: false });
    const theirs = here.ask("/job create HELLO.md that says hello");
    await here.until("the refusal", () => said(here, theirs).includes("run-job.yml"));
    const [id = ""] = states(here);
    expect(stateOf(here, id)).toMatchObject({ status: "failed", round: 1 });

    const issue = here.github.openIssue(DEMO, { title: "Another", by: READER });
    here.github.comment(DEMO, issue, { body: `<!-- journeyman:job:${id} -->`, by: READER });
    here.github.comment(DEMO, issue, { body: `echo <!-- journeyman:job:${id} -->`, by: BOT });
    here.github.comment(DEMO, issue, { body: "/job retry", by: WRITER });
    await here.until("the answer", () => said(here, issue).includes("There is no job here"));
    expect(stateOf(here, id)).toMatchObject({ status: "failed", round: 1 });
    expect(here.steps.map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe("when something goes wrong", () => {
  it("a handler that fails makes the process fail, and says why", async () => {
    const here = await startActionHarness({ waitSeconds: 3 });
    here.github.faults.add({ match: { path: /\/collaborators\// }, status: 502, times: 100 });
    here.ask("/job create HELLO.md that says hello");
    const step = await here.until("its end", () => here.steps[0]);
    expect(step.code).toBe(1);
    expect(step.output).toContain("::error title=Journeyman::The event could not be worked on");
    expect(states(here)).toEqual([]);
  });

  it("a job that does not go on says so, and goes on when the run is run again", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness({ waitSeconds: 4 });
    here.github.faults.add({ match: { path: /\/dispatches$/ }, status: 502, times: 100 });
    const issue = here.ask("/job create HELLO.md that says hello");
    const { event, payload } = await here.take("issue_comment.created");
    expect(await here.play(event, payload, { GITHUB_RUN_ID: "77" })).toMatchObject({ code: 1 });
    expect(said(here, issue)).toContain("It does not go on");
    expect(states(here)).toHaveLength(1);

    here.github.faults.clear();
    const again = { GITHUB_RUN_ID: "77", GITHUB_RUN_ATTEMPT: "2", INPUT_PATIENCE: "60" };
    expect(await here.play(event, payload, again)).toMatchObject({ code: 0 });
    expect(jobRuns(here).map((run) => run.event)).toEqual(["workflow_dispatch"]);
    expect(here.github.comments(DEMO, issue)).toHaveLength(2);
    expect(states(here)).toHaveLength(1);
  });

  it("a process that was cut off before it saved anything leaves no second branch", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness();
    here.ask("/job create HELLO.md that says hello");
    const { event, payload } = await here.take("issue_comment.created");
    const run = { GITHUB_RUN_ID: "78" };
    await here.play(event, payload, run);
    const [id = ""] = states(here);
    // as if the runner had been lost right after the push
    here.github.dropRef(DEMO, `${SHELF}${id}`);
    await here.play(event, payload, { ...run, GITHUB_RUN_ATTEMPT: "2" });
    expect(states(here)).toEqual([id]);
    expect(Object.keys(here.github.branches(DEMO)).filter((name) => name.startsWith("job/"))).toEqual([`job/${id}`]);
    expect(jobRuns(here)).toHaveLength(1);
  });

  it("two processes on one job at once lose nothing", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness({ workflow: false });
    const issue = here.ask("/job create HELLO.md that says hello");
    await here.until("the refusal", () => said(here, issue).includes("run-job.yml"));
    const [id = ""] = states(here);
    const comments = ["/job retry", "/job retry"].map((body) => here.github.comment(DEMO, issue, { body, by: WRITER }));
    const first = await here.take("issue_comment.created");
    const second = await here.take("issue_comment.created");
    const both = await Promise.all([first, second].map(({ event, payload }) => here.play(event, payload)));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(stateOf(here, id).heard).toEqual(expect.arrayContaining(comments));
    expect(stateOf(here, id).round).toBe(3);
  });

  it("names everything that is missing at once, and never serves a person's token", async () => {
    const here = await startActionHarness({ waitSeconds: 3 });
    const bare = await here.play("issue_comment", {}, { GITHUB_RUN_ID: "", GITHUB_REPOSITORY: "", INPUT_TOKEN: "" });
    expect(bare.code).toBe(1);
    for (const name of ["INPUT_TOKEN", "GITHUB_RUN_ID", "GITHUB_REPOSITORY"]) expect(bare.output).toContain(name);
    const own = await here.play("schedule", {}, { INPUT_TOKEN: here.github.userToken(WRITER) });
    expect(own).toMatchObject({ code: 1, output: expect.stringContaining("belongs to the user") });
  });
});
