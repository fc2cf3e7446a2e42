import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WorkflowTrigger } from "../../sandbox/ports.ts";
import { client, message, pushBranch, REPO, type World, world } from "./kit.ts";

const DEMO = { owner: "octo", name: "demo" };
const CI = "name: CI\non: [push, pull_request, workflow_dispatch]\njobs: {}\n";

describe("the runner's side", () => {
  let w: World;
  const triggers: WorkflowTrigger[] = [];
  beforeAll(async () => {
    w = await world({ files: { "README.md": "# demo\n", ".github/workflows/ci.yml": CI } });
    w.github.actions.onTrigger((one) => triggers.push(one));
  });
  afterAll(() => w.close());
  beforeEach(async () => {
    await w.github.idle();
    w.app.received.length = 0;
    triggers.length = 0;
  });
  const newRun = (headSha: string, headBranch: string) =>
    w.github.actions.createRun({
      repository: DEMO,
      path: ".github/workflows/ci.yml",
      name: "CI",
      event: "push",
      displayTitle: "t",
      headBranch,
      headSha,
      actor: "journeyman[bot]",
    });

  it("is told about pushes and pull requests with what it checks out", async () => {
    const sha = await pushBranch(w.call, w.github, "job/tr1", { "t.txt": "t" }, "Run job tr1: t");
    expect(triggers).toMatchObject([
      {
        event: "push",
        sha,
        ref: "refs/heads/job/tr1",
        headBranch: "job/tr1",
        byWorkflowToken: false,
        payload: { created: true, head_commit: { message: "Run job tr1: t" } },
      },
    ]);
    expect([...(await w.github.actions.workflowFiles(DEMO, sha))]).toEqual([[".github/workflows/ci.yml", CI]]);
    await w.call(`POST /repos/${REPO}/pulls`, { title: "t", head: "job/tr1", base: "main" });
    await w.github.idle();
    const opened = triggers.find((one) => one.event === "pull_request");
    expect(opened).toMatchObject({
      action: "opened",
      headSha: sha,
      ref: expect.stringMatching(/^refs\/pull\/\d+\/merge$/),
      payload: { pull_request: { head: { sha } } },
    });
    expect(opened?.sha).not.toBe(sha);
    expect(w.github.readFile(REPO, opened?.ref ?? "", "t.txt")).toBe("t");
  });

  it("starts no pull request workflow on a conflict", async () => {
    w.github.pushCommit(REPO, "topic", { "README.md": "mine\n" }, "writer");
    w.github.pushCommit(REPO, "main", { "README.md": "theirs\n" }, "octo");
    w.github.openPullRequest(REPO, { title: "conflict", head: "topic", by: "writer" });
    await w.github.idle();
    expect(triggers.map((one) => one.event)).not.toContain("pull_request");
  });

  it("marks what GITHUB_TOKEN does, narrows it, and forgets it with the job", async () => {
    const token = w.github.actions.workflowToken(DEMO, { contents: "write", "pull-requests": "read" });
    const call = client(w.github, `Bearer ${token}`);
    const made = await call(`POST /repos/${REPO}/git/refs`, {
      ref: "refs/heads/by-token",
      sha: w.github.branches(REPO).main,
    });
    expect(made.status).toBe(201);
    expect(triggers).toMatchObject([{ event: "push", byWorkflowToken: true, actor: "github-actions[bot]" }]);
    await w.github.idle();
    expect(w.app.names()).toContain("push");
    expect((await call(`POST /repos/${REPO}/issues`, { title: "x" })).status).toBe(403);
    expect((await call(`GET /repos/${REPO}/pulls`)).status).toBe(200);
    w.github.actions.revokeToken(token);
    expect((await call(`GET /repos/${REPO}/pulls`)).status).toBe(401);
  });

  it("reports runs and jobs, which send the events of GitHub", async () => {
    const sha = await pushBranch(w.call, w.github, "job/run", { "r.txt": "r" });
    await w.github.idle();
    w.app.received.length = 0;
    const { actions } = w.github;
    const run = newRun(sha, "job/run");
    const job = actions.createJob(run.id, "build");
    actions.startRun(run.id);
    actions.updateJob(job, { status: "in_progress" });
    actions.appendLog(job, "line one\n");
    expect((await w.call(`GET /repos/${REPO}/actions/jobs/${job}/logs`)).status).toBe(404);
    const steps = [{ name: "Say", number: 1, status: "completed", conclusion: "success" }] as const;
    actions.updateJob(job, { status: "completed", conclusion: "success", steps });
    actions.setSummary(job, "# <i class=x>all</i> well");
    actions.completeRun(run.id, "success");
    await w.github.idle();
    expect(w.app.names()).toEqual([
      "workflow_run.requested",
      "check_run.created",
      "workflow_job.queued",
      "workflow_run.in_progress",
      "workflow_job.in_progress",
      "check_run.completed",
      "workflow_job.completed",
      "check_suite.completed",
      "workflow_run.completed",
    ]);
    const last = w.app.received.at(-1)?.payload;
    expect(last).toMatchObject({
      workflow_run: {
        id: run.id,
        path: ".github/workflows/ci.yml",
        head_branch: "job/run",
        head_sha: sha,
        status: "completed",
        conclusion: "success",
        run_attempt: 1,
        event: "push",
      },
      workflow: { name: "CI" },
    });
    const logs = await w.call(`GET /repos/${REPO}/actions/jobs/${job}/logs`);
    expect(logs.status).toBe(302);
    expect(await (await fetch(logs.headers.get("location") ?? "")).text()).toBe("line one\n");
    expect((await w.call(`GET /repos/${REPO}/actions/runs/${run.id}/jobs`)).body).toMatchObject({
      total_count: 1,
      jobs: [{ id: job, name: "build", steps: [{ name: "Say" }] }],
    });
    const shown = await (await fetch(run.htmlUrl)).text();
    expect(shown).toContain("line one");
    expect(shown).toContain("&lt;i class=x&gt;all");
  });

  it("is asked to cancel and to run again", async () => {
    const cancels: number[] = [];
    const reruns: [number, number][] = [];
    const { actions } = w.github;
    actions.onCancel((id) => cancels.push(id));
    actions.onRerun((id, attempt) => reruns.push([id, attempt]));
    const run = newRun(w.github.branches(REPO).main ?? "", "main");
    actions.createJob(run.id, "build");
    const post = (what: string) => w.call(`POST /repos/${REPO}/actions/runs/${run.id}/${what}`);
    expect((await post("rerun")).status).toBe(403);
    expect((await post("cancel")).status).toBe(202);
    expect(cancels).toEqual([run.id]);
    actions.completeRun(run.id, "cancelled");
    const late = await post("cancel");
    expect([late.status, message(late)]).toEqual([409, "Cannot cancel a workflow run that is completed."]);
    expect((await post("rerun")).status).toBe(201);
    expect(reruns).toEqual([[run.id, 2]]);
    expect((await w.call(`GET /repos/${REPO}/actions/runs/${run.id}`)).body).toMatchObject({
      status: "queued",
      conclusion: null,
      run_attempt: 2,
    });
    expect((await w.call(`GET /repos/${REPO}/actions/runs?branch=main`)).body).toMatchObject({ total_count: 1 });
  });

  it("is dispatched with inputs, for workflows that allow it", async () => {
    const dispatch = (file: string) =>
      w.call(`POST /repos/${REPO}/actions/workflows/${file}/dispatches`, { ref: "main", inputs: { id: "ab12cd34" } });
    expect((await dispatch("ci.yml")).status).toBe(204);
    expect(triggers).toMatchObject([
      {
        event: "workflow_dispatch",
        workflowPath: ".github/workflows/ci.yml",
        inputs: { id: "ab12cd34" },
        ref: "refs/heads/main",
      },
    ]);
    expect((await dispatch("none.yml")).status).toBe(404);
    w.github.pushCommit(REPO, "main", { ".github/workflows/push-only.yml": "on: push\njobs: {}\n" }, "octo");
    const refused = await dispatch("push-only.yml");
    expect([refused.status, message(refused)]).toEqual([422, "Workflow does not have 'workflow_dispatch' trigger"]);
  });

  it("refuses workflow files from an App without the permission, over every road", async () => {
    const main = w.github.branches(REPO).main ?? "";
    const path = ".github/workflows/ci.yml";
    const tree = await w.call(`POST /repos/${REPO}/git/trees`, {
      base_tree: main,
      tree: [{ path, mode: "100644", type: "blob", content: "x" }],
    });
    const put = await w.call(`PUT /repos/${REPO}/contents/.github/workflows/x.yml`, { message: "m", content: "eA==" });
    expect([tree.status, put.status]).toEqual([403, 403]);
  });
});
