/** Actions mode as a runner plays it: one process for each event, nothing between them but GitHub. */
import { describe, expect, it } from "vitest";
import { DEMO, WRITER } from "../../src/sandbox/town.ts";
import { jobRuns, said, startActionTown, stateOf, states } from "./action-town.ts";

const LONG_MS = 240_000;

describe("with GITHUB_TOKEN", () => {
  it("turns a comment into a merged pull request, and says what waits for a person", { timeout: LONG_MS }, async () => {
    const here = await startActionTown();
    const issue = here.ask("/job create HELLO.md that says hello");

    const pull = await here.until("a pull request", () => here.github.pulls(DEMO)[0]);
    const runs = here.github.runs(DEMO).filter(({ headBranch }) => headBranch === pull.head);
    expect(runs.map(({ event, path }) => `${event} ${path}`)).toEqual([
      "workflow_dispatch .github/workflows/run-job.yml",
    ]);
    expect(pull).toMatchObject({ state: "open", body: expect.stringContaining(`Closes #${issue}`) });
    await here.until("the comment to say what it waits for", () =>
      said(here, issue).includes("Approve workflows to run"),
    );

    here.github.approveWorkflows(DEMO, pull.number, WRITER);
    await here.until("the merge", () => here.github.pulls(DEMO)[0]?.merged);
    await here.until("the comment to say so", () => said(here, issue).includes("is merged"));

    expect(here.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(Object.keys(here.github.branches(DEMO))).toEqual(["main"]);
    expect(here.github.comments(DEMO, issue)).toHaveLength(2);
    expect(here.github.comments(DEMO, issue)[0]?.reactions).toEqual(["eyes"]);
    const ours = here.github.checkRuns(DEMO, pull.headSha).filter((run) => run.name === "journeyman");
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({ status: "completed", conclusion: "success" });
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });

  it("goes on by the clock where events were lost, and with a message on its pull request", {
    timeout: LONG_MS,
  }, async () => {
    const here = await startActionTown();
    here.ask("/job create HELLO.md that says hello");
    const asked = await here.take("issue_comment.created");
    await here.play(asked.event, asked.payload);
    await here.town.idle();
    expect(here.github.pulls(DEMO)).toHaveLength(0);
    expect(await here.play("schedule", { schedule: "17 * * * *" })).toMatchObject({ code: 0 });
    const [pull] = here.github.pulls(DEMO);
    expect(pull).toMatchObject({ state: "open" });

    here.github.comment(DEMO, pull?.number ?? 0, { body: "/job append bye to HELLO.md", by: WRITER });
    const message = await here.take("issue_comment.created");
    expect(await here.play(message.event, message.payload)).toMatchObject({ code: 0 });
    expect(jobRuns(here).map(({ event }) => event)).toEqual(["workflow_dispatch", "workflow_dispatch"]);
    expect(stateOf(here, states(here)[0] ?? "").round).toBe(2);
  });
});

describe("with the token of an App", () => {
  it("needs nobody: its pushes start the run, its pull request starts the checks", { timeout: LONG_MS }, async () => {
    const here = await startActionTown({ app: true });
    const issue = here.ask("/job create HELLO.md that says hello");
    const pull = await here.until("the merge", () => here.github.pulls(DEMO).find(({ merged }) => merged));
    await here.until("the comment to say so", () =>
      said(here, issue, `${here.github.appSlug}[bot]`).includes("is merged"),
    );
    expect(jobRuns(here).map(({ event }) => event)).toEqual(["push"]);
    expect(pull.head).toMatch(/^job\/[a-z0-9]{8}$/);
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });
});
