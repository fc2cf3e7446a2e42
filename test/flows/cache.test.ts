/** The App starts the run that fills a repository's cache. */
import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import type { RunConclusion } from "../sandbox/ports.ts";
import { startHarness, until } from "./harness.ts";

const HOUR = 3_600_000;
const SETTINGS = 'cache:\n  paths: ["~/.npm"]\n  fill: ["npm ci"]\n';

it("fills the cache on the default branch when its setting comes and when lock files change, at most once an hour", async () => {
  const harness = await startHarness({ actions: false });
  const { github, sandbox } = harness;
  const push = (files: Record<string, string>, branch = "main") => github.pushCommit(DEMO, branch, files, "ada");
  const started = () => github.calls().filter(({ path }) => path.endsWith("/actions/workflows/run-job.yml/dispatches"));
  const settled = async (): Promise<void> => {
    await sandbox.idle();
    const { inbox, repositories } = harness.app.store;
    await until("the inbox to be empty", async () => (await inbox.pending()).length === 0);
    await until("everything to be done", async () => (await repositories.withEffects()).length === 0);
  };
  push({ "package-lock.json": "{}" });
  await settled();
  expect(started()).toHaveLength(0);
  push({ ".github/journeyman.yml": SETTINGS });
  await until("the first run", () => started().length === 1);
  await settled();
  for (const text of ["1", "2", "3"]) push({ "app/package-lock.json": text });
  await until("the push to be taken in", async () => (await harness.app.store.inbox.pending()).length === 0);
  harness.pass(HOUR / 2);
  await sandbox.idle();
  expect(started()).toHaveLength(1);
  harness.pass(HOUR / 2);
  await until("the second run", () => started().length === 2);
  await settled();
  push({ "README.md": "x", "package-lock.json.md": "x" });
  await settled();
  expect(started().map(({ status }) => status)).toEqual([204, 204]);
});

it("does not insist where the workflow cannot be started", async () => {
  const harness = await startHarness({ actions: false });
  const { github, sandbox } = harness;
  github.pushCommit(
    DEMO,
    "main",
    { ".github/workflows/run-job.yml": "on: { push: { branches: [x] } }\njobs: {}\n" },
    "ada",
  );
  github.pushCommit(DEMO, "main", { ".github/journeyman.yml": SETTINGS }, "ada");
  const started = () => github.calls().filter(({ path }) => path.endsWith("/dispatches"));
  await until("the refusal", () => started().length === 1);
  await sandbox.idle();
  await until("nothing to be left", async () => (await harness.app.store.repositories.withEffects()).length === 0);
  expect(started().map(({ status }) => status)).toEqual([422]);
});

it("has the doctor tell of a cache that could not be filled, until it was", async () => {
  let conclusion: RunConclusion = "failure";
  const harness = await startHarness({ playJob: () => async () => ({ conclusion, outputs: {} }) });
  const { github } = harness;
  const told = async () => {
    const text = await (await harness.request(`/api/repositories/${DEMO}/health`)).text();
    return text.includes("cache_not_filled");
  };
  github.pushCommit(DEMO, "main", { ".github/journeyman.yml": SETTINGS }, "ada");
  const ended = (how: RunConclusion) => () =>
    github.runs(DEMO).some((run) => run.event === "workflow_dispatch" && run.conclusion === how);
  await until("the failure", ended("failure"));
  expect(await told()).toBe(true);
  conclusion = "success";
  harness.pass(HOUR);
  github.pushCommit(DEMO, "main", { "package-lock.json": "{}" }, "ada");
  await until("the success", ended("success"));
  expect(await told()).toBe(false);
});
