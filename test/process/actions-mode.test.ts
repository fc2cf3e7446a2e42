/** Runs Actions mode as a runner does: one process per event, with only GitHub between them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type ActionHarness, jobRuns, said, startActionHarness, stateOf, states } from "./action-harness.ts";

const LONG_MS = 240_000;
const DEADLINE = { timeout: 90_000, interval: 50 };

describe("with GITHUB_TOKEN", () => {
  it("turns a comment into a merged pull request, and says what waits for a person", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness();
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
    expect(here.github.comments(DEMO, issue)[0]?.reactions).toEqual([]);
    const ours = here.github.checkRuns(DEMO, pull.headSha).filter((run) => run.name === "journeyman");
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({ status: "completed", conclusion: "success" });
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });

  it("goes on by the clock where events were lost, and with a message on its pull request", {
    timeout: LONG_MS,
  }, async () => {
    const here = await startActionHarness();
    here.ask("/job create HELLO.md that says hello");
    const asked = await here.take("issue_comment.created");
    await here.play(asked.event, asked.payload);
    await here.sandbox.idle();
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

describe("a job that asks", () => {
  it("rests in its git ref, and goes on there with the answer on its issue", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness();
    const issue = here.ask("/job ask which colour it should be");
    await here.until("the question", () => said(here, issue).includes("**Waiting for an answer**"));
    const [id = "", ...others] = states(here);
    expect([others, stateOf(here, id)]).toMatchObject([[], { status: "waiting_for_user", round: 1 }]);

    here.github.comment(DEMO, issue, { body: "/job create COLOUR.md that says blue", by: WRITER });
    const pull = await here.until("a pull request", () => here.github.pulls(DEMO)[0]);
    expect([states(here), pull.head]).toEqual([[id], `job/${id}`]);
    expect(stateOf(here, id).round).toBe(2);
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });
});

describe("a review that asks for changes", () => {
  it("is a round here as well, answered in its threads", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness();
    here.ask("/job create HELLO.md that says hello");
    const { number } = await here.until("a pull request", () => here.github.pulls(DEMO)[0]);
    await here.github.reviewLines(DEMO, number, {
      ...{ state: "CHANGES_REQUESTED", by: WRITER },
      comments: [{ path: "HELLO.md", line: 1, body: "```suggestion\nhello, you\n```" }],
    });
    await here.until("an answer", () => here.github.conversation(DEMO, number).threads[0]?.comments.length === 2);
    expect(here.github.conversation(DEMO, number)).toMatchObject({ threads: [{ resolvedBy: null }], requested: [] });
    here.github.approveWorkflows(DEMO, number, WRITER);
    await here.until("ada to be asked", () => here.github.conversation(DEMO, number).requested.length > 0);
    const { threads, requested } = here.github.conversation(DEMO, number);
    expect([threads[0]?.resolvedBy, requested]).toEqual(["github-actions[bot]", [WRITER]]);
    expect(here.github.readFile(DEMO, here.github.pulls(DEMO)[0]?.head ?? "", "HELLO.md")).toBe("hello, you\n");
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });
});

describe("as a step of the example workflow, played by the runner", () => {
  const example = readFileSync(new URL("../../docs/journeyman-action.yml", import.meta.url), "utf8");
  const files = { ".github/workflows/journeyman.yml": example };
  const runOf = (here: ActionHarness) =>
    here.github.runs(DEMO).find(({ path, event }) => path.endsWith("journeyman.yml") && event === "issue_comment");

  it("reads a comment and starts the run of its job", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness({ files });
    const issue = here.ask("/job create HELLO.md that says hello");
    await expect.poll(() => jobRuns(here).map(({ event }) => event), DEADLINE).toEqual(["workflow_dispatch"]);
    await here.sandbox.idle();
    expect(runOf(here)).toMatchObject({ conclusion: "success" });
    const [id] = states(here);
    expect(said(here, issue)).toContain(`The task is on [\`job/${id}\`](${here.github.url}/${DEMO}/tree/job/${id})`);
    const runs = `${here.github.url}/${DEMO}/actions?query=branch%3Ajob%2F${id}`;
    expect(said(here, issue)).toContain(`[follow the run](${runs})`);
    const shown = await (await fetch(runs)).text();
    expect([...shown.matchAll(/actions\/runs\/(\d+)/g)].map(([, run]) => Number(run))).toEqual([jobRuns(here)[0]?.id]);
    const readings = here.github.calls().filter(({ graphql }) => graphql === "BranchState");
    expect(readings, "one tells settings and trees").toHaveLength(1);
  });

  it("fails with it, and says why where people look", { timeout: LONG_MS }, async () => {
    const wrong = example.replace(/^( +)- uses: journeyman.*$/m, "$&\n$1  with: { patience: none }");
    const here = await startActionHarness({ files: { ".github/workflows/journeyman.yml": wrong } });
    here.ask("/job create HELLO.md that says hello");
    await expect.poll(() => runOf(here)?.conclusion, DEADLINE).toBe("failure");
    const [job] = runOf(here)?.jobs ?? [];
    expect(job?.log).toContain("##[error]INPUT_PATIENCE: must be a whole number");
  });
});

describe("with the token of an App", () => {
  it("needs nobody: its pushes start the run, its pull request starts the checks", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness({ app: true });
    const issue = here.ask("/job create HELLO.md that says hello");
    const pull = await here.until("the merge", () => here.github.pulls(DEMO).find(({ merged }) => merged));
    await here.until("the comment to say so", () =>
      said(here, issue, `${here.github.appSlug}[bot]`).includes("is merged"),
    );
    expect(jobRuns(here).map(({ event }) => event)).toEqual(["push"]);
    expect(pull.head).toMatch(/^job\/[a-z0-9]{8}$/);
    expect(here.steps.map(({ code }) => code)).toEqual(here.steps.map(() => 0));
  });

  it("mends a person's pull request on its own branch", { timeout: LONG_MS }, async () => {
    const here = await startActionHarness({ app: true });
    here.github.pushCommit(DEMO, "mine", { BROKEN: "broken\n" }, WRITER);
    const number = here.github.openPullRequest(DEMO, { title: "Mine", head: "mine", by: WRITER });
    here.github.comment(DEMO, number, { body: "/job fix delete BROKEN", by: WRITER });
    await here.until("the comment to say so", () =>
      said(here, number, `${here.github.appSlug}[bot]`).includes("**Fixed**"),
    );
    expect(here.github.readFile(DEMO, "mine", "BROKEN")).toBeUndefined();
    expect(here.github.pulls(DEMO)).toMatchObject([{ number, merged: false }]);
  });
});
