/** The repository's cache in real containers: a run on the default branch fills it, and a job's agent finds a copy. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { namesOf } from "../../agent/action/container-names.ts";
import { type World, world } from "../contract/sandbox-github/kit.ts";
import { startHarness, untilJob } from "../flows/harness.ts";
import { Runner } from "../process/action-runner.ts";
import { DEMO, DEMO_SETTINGS } from "../sandbox/environment.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { describeContainers, docker, imageOf, type Opened, openToContainers, until } from "./containers.ts";

const KEY = "cache-model-key-0123456789";
const CACHE = {
  paths: ["~/.npm", "~/.cache/pip"],
  fill: ["mkdir -p ~/.npm && cp package-lock.json ~/.npm/kept", "id -u >~/.npm/user; env >~/.npm/env"],
};

describeContainers("the repository's cache", () => {
  let github: World;
  let model: Model;
  let opened: Opened;
  const runners: Runner[] = [];

  beforeAll(async () => {
    github = await world();
    model = await startModel();
    opened = await openToContainers(model.url);
  });
  afterEach(() => {
    for (const runner of runners.splice(0)) runner.remove();
  });
  afterAll(async () => {
    opened?.close();
    await model?.close();
    await github?.close();
  });

  function access(branch: string, sha: string): Record<string, string> {
    const { actions } = github.github;
    const run = actions.createRun({
      ...{ repository: { owner: "octo", name: "demo" }, path: ".github/workflows/run-job.yml", name: "Run job" },
      ...{ event: "push", displayTitle: "t", headBranch: branch, headSha: sha, actor: "octo" },
    });
    const identity = { runId: run.id, ref: `refs/heads/${branch}`, sha, headRef: "", baseRef: "" };
    return { ACTIONS_RESULTS_URL: github.github.url, ACTIONS_RUNTIME_TOKEN: actions.openCaches(identity) };
  }

  async function play(runner: Runner, more: Record<string, string>) {
    const env: Record<string, string> = {
      ...{ INPUT_AGENT_IMAGE: imageOf("agent"), INPUT_ANTHROPIC_API_KEY: KEY, INPUT_ANTHROPIC_BASE_URL: opened.url },
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
      ...more,
    };
    const main = await runner.start("main", env).ended;
    const post = await runner.start("post", env).ended;
    return { main, post };
  }

  function fill(runner: Runner) {
    const sha = runner.git(runner.remote, "rev-parse", "main");
    const event = join(runner.top, "dispatch.json");
    writeFileSync(event, JSON.stringify({ repository: { default_branch: "main" } }));
    const env = { GITHUB_REF: "refs/heads/main", GITHUB_SHA: sha, GITHUB_EVENT_NAME: "workflow_dispatch" };
    return play(runner, { ...access("main", sha), ...env, GITHUB_EVENT_PATH: event, GITHUB_RUN_ID: "77" });
  }

  const left = async (): Promise<string> => {
    const names = ["cache-77", JOB_ID].map(namesOf);
    const filters = names.flatMap(({ network }) => ["--filter", `name=${network}`]);
    const all = await Promise.all([
      docker("ps", "--all", ...filters, "--format", "{{.Names}}"),
      docker("volume", "ls", ...filters, "--format", "{{.Name}}"),
    ]);
    return all.join("");
  };

  test.each([
    ["the agent's image", () => null],
    ["the repository's own", () => ({ image: imageOf("agent"), setup: ["true"], setup_minutes: 5 })],
  ])("is filled in %s and found there by the agent, who changes a copy", async (_, own) => {
    const container = own();
    const settings = JSON.stringify({ cache: CACHE, ...(container === null ? {} : { container }) });
    const files = { "package-lock.json": "one\n", ".github/journeyman.yml": settings };
    const start = (brief: string) => {
      const runner = new Runner(files, { brief: { cache: CACHE, container }, task: brief });
      runners.push(runner);
      return runner;
    };
    const runner = start("run { cat ~/.npm/kept ~/.npm/user; env; } > out.txt 2>&1");
    const filled = await fill(runner);
    expect(filled.main.output).toContain("The cache was filled and saved.");
    expect(filled.main.code).toBe(0);
    const before = github.github.caches().length;
    const { main } = await play(runner, access(runner.branch, runner.sha));
    expect(main.output).toContain("The cache was restored.");
    const out = runner.pushed("out.txt") ?? "";
    expect(out, main.output).toMatch(/^one\n10001\n/);
    expect(out).toContain("HOME=/home/agent");
    expect(out).not.toMatch(/ACTIONS_|runtime-token/);

    const again = start("run { echo evil > ~/.npm/kept; } > out.txt 2>&1");
    await play(again, access(again.branch, again.sha));
    const last = start("run cat ~/.npm/kept ~/.npm/env > out.txt");
    await play(last, access(last.branch, last.sha));
    expect(last.pushed("out.txt")).toMatch(/^one\n/);
    expect(last.pushed("out.txt")).not.toMatch(new RegExp(`${KEY}|workflow-token|ACTIONS_|GITHUB_`));
    expect(github.github.caches()).toHaveLength(before);
    expect(await left()).toBe("");
  });

  test("is filled by the run that a push starts, and found by the next job", async () => {
    const harness = await startHarness({
      containers: { choice: "docker", image: imageOf("agent"), environment: process.env },
    });
    const settings = `${DEMO_SETTINGS}cache: ${JSON.stringify(CACHE)}\n`;
    const files = { ".github/journeyman.yml": settings, "package-lock.json": "one\n" };
    harness.github.pushCommit(DEMO, "main", files, "ada");
    await until("the cache to be saved", async () => harness.github.caches().length === 1);
    await harness.sandbox.idle();
    expect(harness.github.caches()).toMatchObject([{ ref: "refs/heads/main" }]);
    const { id } = await harness.jobOf(harness.ask("/job run cat ~/.npm/kept > seen.txt; echo x > ~/.npm/kept"));
    await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
    await harness.sandbox.idle();
    expect(harness.github.readFile(DEMO, "main", "seen.txt")).toBe("one\n");
    expect(harness.github.caches()).toHaveLength(1);
    const logs = harness.github.runs(DEMO).flatMap((run) => run.jobs.map((job) => harness.github.jobLog(job.id)));
    expect(logs.join("")).toContain("The cache was restored.");
    expect(logs.join("")).not.toContain("has left containers or networks behind");
  });
});
