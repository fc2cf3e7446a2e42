/** What is seen of a workflow file: whether it starts jobs, and what is wrong with it where it does not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PUBLISHER } from "../../src/contracts/publisher.ts";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import {
  runsOnPullRequests,
  usesRunAction,
  workflowFactsOf,
} from "../../src/github/repository-settings/workflow-file.ts";

const blob = (text: string) => ({ text, isTruncated: false });
const mistakesOf = (text: string) => workflowFactsOf(blob(text))?.mistakes;
const changed = (from: string | RegExp, to: string): string => {
  const text = RUN_JOB_WORKFLOW.replace(from, to);
  expect(text).not.toBe(RUN_JOB_WORKFLOW);
  return text;
};

const OLD = readFileSync(join(import.meta.dirname, "../fixtures/run-job-0.1.yml"), "utf8");

describe("the workflow of a repository", () => {
  it("is as the set-up has it", () =>
    expect(workflowFactsOf(blob(RUN_JOB_WORKFLOW))).toEqual({ mistakes: [], outdated: false }));

  it("may be a copy of before the run action, which still works", () =>
    expect(workflowFactsOf(blob(OLD))).toEqual({ mistakes: [], outdated: true }));

  it("runs jobs beside a gateway if it is known to use the run action", () => {
    const texts = [RUN_JOB_WORKFLOW, OLD, "jobs: [", RUN_JOB_WORKFLOW.replace(/uses: .*/, "run: agent")];
    expect(texts.map((text) => usesRunAction(blob(text)))).toEqual([true, false, false, false]);
    expect(usesRunAction({ text: RUN_JOB_WORKFLOW, isTruncated: true })).toBe(false);
    expect(usesRunAction(null)).toBe(false);
  });

  it("may be not there", () => expect(workflowFactsOf(null)).toBeNull());

  it.each([
    ["no push", changed(/ {2}push: .*\n/, ""), "no_push_trigger"],
    ["pushes to other branches alone", changed('"job/**"', "main"), "no_push_trigger"],
    ["pushes of tags alone", changed('branches: ["job/**"]', 'tags: ["v*"]'), "no_push_trigger"],
    ["the jobs' branches left out", changed("branches:", "branches-ignore:"), "no_push_trigger"],
    ["the jobs' branches taken back", changed('"job/**"', '"**", "!job/**"'), "no_push_trigger"],
    ["one job's branch alone", changed("job/**", "job/ab12cd34"), "no_push_trigger"],
    ["no start by hand", changed("  workflow_dispatch:\n", ""), "no_dispatch_trigger"],
    ["no identity", changed(", id-token: write", ""), "no_identity"],
    ["no right to push", changed("contents: write, ", ""), "no_write_access"],
    ["another action", changed("run-job@v1", "walk-job@v1"), "no_run_action"],
    ["text that is no YAML", changed("jobs:", "jobs: ["), "unreadable"],
    ["a list in place of a map", "- jobs", "unreadable"],
    ["more aliases than anybody needs", `x: &a [1]\ny: [${"*a,".repeat(50)}]\n`, "unreadable"],
    ["lists in lists without end", `on: ${"[".repeat(500)}`, "unreadable"],
    ["nothing", "", "unreadable"],
  ])("is found wrong with %s", (_name, text, mistake) => expect(mistakesOf(text)).toEqual([mistake]));

  it.each([
    ["a fork's action", changed(PUBLISHER, "octo/their-own")],
    ["an action by its commit", changed("@v1", "@0123456789012345678901234567890123456789")],
    ["the repository's own action", changed(`${PUBLISHER}/.github`, "./.github")],
    [
      "permissions of the job",
      changed(
        /permissions: .*\njobs:\n {2}run:\n/,
        "jobs:\n  run:\n    permissions: { contents: write, id-token: write }\n",
      ),
    ],
    ["all permissions", changed(/permissions: .*/, "permissions: write-all")],
    ["pushes to every branch but one", changed('branches: ["job/**"]', "branches-ignore: [main]")],
    ["pushes to branches with a slash", changed("job/**", "*/*")],
    ["pushes to every branch", changed('push: { branches: ["job/**"] }', "push:")],
  ])("is right with %s", (_name, text) => expect(mistakesOf(text)).toEqual([]));
});

describe("a workflow of the CI", () => {
  it.each([
    ["on: pull_request\njobs: {}\n", true],
    ["on: [push, pull_request]\njobs: {}\n", true],
    ["on:\n  pull_request:\n    branches: [main]\njobs: {}\n", true],
    ["on: push\njobs: {}\n", false],
    ["on: [\n", null],
  ])("%j runs on pull requests: %j", (text, runs) => expect(runsOnPullRequests(blob(text))).toBe(runs));
});
