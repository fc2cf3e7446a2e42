/** Reading a set-up from the local GitHub: which workflows count, and how much of them is read. */
import { expect, it, onTestFinished } from "vitest";
import { readSetUpFacts } from "../../src/github/effects/set-up-facts.ts";
import { type FileMap, startGitHub } from "../sandbox/github/main.ts";
import { REPO, sourceOf } from "./github-effects-harness.ts";

const RUNS = "on: pull_request\njobs: {}\n";
const RUNS_NOT = "on: push\njobs: {}\n";
const LONG = `${RUNS}# ${"x".repeat(400_000)}\n`;

const named = (count: number, text: string, name = "w"): FileMap =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`.github/workflows/${name}${at}.yml`, text]));

async function read(files: FileMap) {
  const github = await startGitHub();
  onTestFinished(() => github.close());
  github.createRepository({ owner: "octo", name: "demo", files: { "README.md": "# demo\n", ...files } });
  const octokit = await sourceOf(github).installation(github.install(REPO));
  let bytes = 0;
  octokit.hook.after("request", ({ data }) => {
    bytes += JSON.stringify(data).length;
  });
  github.resetCalls();
  const facts = await readSetUpFacts({ octokit, at: { owner: "octo", repo: "demo" } });
  const queries = github.calls().filter(({ graphql }) => graphql !== undefined).length;
  return { runs: facts?.ci_on_pull_request, queries, bytes };
}

it.each<[string, FileMap, boolean | null, number]>([
  ["there is none", {}, false, 1],
  ["there is the App's own alone", { ".github/workflows/run-job.yml": RUNS }, false, 1],
  ["one does", { ...named(2, RUNS_NOT), ".github/workflows/z é.yaml": RUNS }, true, 2],
  ["none does", { ...named(2, RUNS_NOT), ".github/workflows/notes.txt": RUNS }, false, 2],
  ["one cannot be read", { ...named(2, RUNS_NOT), ".github/workflows/a.yml": "on: [\n" }, null, 2],
  ["the one that may is too long", { ...named(2, RUNS_NOT), ".github/workflows/a.yml": LONG }, null, 2],
  ["the only one is too long", { ".github/workflows/a.yml": LONG }, null, 1],
  ["a folder is called like one", { ".github/workflows/a.yml/b.yml": RUNS }, false, 1],
  ["there are too many to read all", named(21, RUNS_NOT), null, 2],
])("knows whether a workflow runs on pull requests where %s", async (_case, files, runs, queries) => {
  const found = await read(files);
  expect([found.runs, found.queries]).toEqual([runs, queries]);
});

it("reads no long workflow, and no more than twenty short ones", async () => {
  const { runs, bytes } = await read({ ...named(30, LONG, "a"), ...named(30, `${RUNS_NOT}# ${"x".repeat(60_000)}\n`) });
  expect(runs).toBeNull();
  expect(bytes).toBeLessThan(1_500_000);
});
