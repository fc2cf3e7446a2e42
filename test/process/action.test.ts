/** Actions mode as a runner plays it: one process for each event, nothing between them but GitHub. */
import { describe, expect, it } from "vitest";
import { DEMO, READER, WRITER } from "../../src/sandbox/town.ts";
import { startActionTown } from "./action-town.ts";

const LONG_MS = 240_000;

describe("with GITHUB_TOKEN", () => {
  it("turns a comment into a merged pull request, and says what waits for a person", { timeout: LONG_MS }, async () => {
    const here = await startActionTown();
    const issue = here.ask("/job create HELLO.md that says hello");
    const said = () => here.github.comments(DEMO, issue).find((one) => one.user === "github-actions[bot]")?.body ?? "";

    const pull = await here.until("a pull request", () => here.github.pulls(DEMO)[0]);
    const runs = here.github.runs(DEMO).filter(({ headBranch }) => headBranch === pull.head);
    expect(runs.map(({ event, path }) => `${event} ${path}`)).toEqual([
      "workflow_dispatch .github/workflows/run-job.yml",
    ]);
    expect(pull).toMatchObject({ state: "open", body: expect.stringContaining(`Closes #${issue}`) });
    await here.until("the comment to say what it waits for", () => said().includes("Approve workflows to run"));

    here.github.approveWorkflows(DEMO, pull.number, WRITER);
    await here.until("the merge", () => here.github.pulls(DEMO)[0]?.merged);
    await here.until("the comment to say so", () => said().includes("is merged"));

    expect(here.github.readFile(DEMO, "main", "HELLO.md")).toContain("hello");
    expect(Object.keys(here.github.branches(DEMO))).toEqual(["main"]);
    expect(here.github.comments(DEMO, issue)).toHaveLength(2);
    expect(here.github.comments(DEMO, issue)[0]?.reactions).toEqual(["eyes"]);
    const ours = here.github.checkRuns(DEMO, pull.headSha).filter((run) => run.name === "journeyman");
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({ status: "completed", conclusion: "success" });
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });
});
