/** Conflicts of a merge of the base that no marker shows: the agent is told of them, and no side is dropped in silence. */
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";
import { FakeApp } from "./fake-app.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function reporting(files: Record<string, string>, setup: ConstructorParameters<typeof Runner>[1] = {}) {
  const fakeApp = await FakeApp.open();
  const runner = new Runner(files, { ...setup, brief: { app_url: fakeApp.url, ...setup.brief } });
  closing.push(
    () => fakeApp.close(),
    () => runner.remove(),
  );
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = "" } = fakeApp.environment;
  return { fakeApp, runner, env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } };
}

const parents = (runner: Runner) => runner.log("%P").split(" ");

describe("with conflicts that no marker shows", () => {
  const SUBS = ["1", "2", "3"].map((one) => one.repeat(40));
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join("");
  const before = {
    ...{ "kept.txt": "1\n", "cut.txt": "1\n", "a.bin": "\0one", "c.bin": "\0one" },
    ...{ "old.txt": lines, "sub/": SUBS[0] ?? "" },
  };
  const both = {
    work: {
      ...{ "kept.txt": "ours\n", "cut.txt": null, "a.bin": "\0ours", "c.bin": "\0ours" },
      ...{ "old.txt": null, "ours.txt": lines, "sub/": SUBS[1] ?? "" },
    },
    base: {
      ...{ "kept.txt": null, "cut.txt": "theirs\n", "a.bin": "\0theirs", "c.bin": "\0theirs" },
      ...{ "old.txt": null, "theirs.txt": lines, "sub/": SUBS[2] ?? "", "free.txt": "t" },
    },
    commits: 1,
  };
  const ALL = ["a.bin", "c.bin", "cut.txt", "kept.txt", "ours.txt", "sub", "theirs.txt"];
  const started = () => reporting(before, { behind: both, brief: { merge_base: true } });
  const end = (conflicts: readonly { path: string; keep: string }[]) =>
    `printf '%s' '${JSON.stringify({ version: 1, outcome: "done", title: "Merge", body: "Both.", conflicts })}' > .jobs/${JOB_ID}/result.json`;

  test("the agent is told of each, in a file that is not pushed", async () => {
    const { runner, env } = await started();
    await runner.run(`cp .jobs/${JOB_ID}/conflicts.json "$TEST_TOP/told"; ${end([])}`, env);
    expect(JSON.parse(runner.read("told"))).toEqual({
      conflicts: [
        { path: "a.bin", kind: "no_text" },
        { path: "c.bin", kind: "no_text" },
        { path: "cut.txt", kind: "deleted_by_branch" },
        { path: "kept.txt", kind: "deleted_by_base" },
        { path: "ours.txt", kind: "renamed" },
        { path: "sub", kind: "submodule" },
        { path: "theirs.txt", kind: "renamed" },
      ],
    });
    expect(runner.pushed(`.jobs/${JOB_ID}/conflicts.json`)).toBeNull();
  });

  test("no side is dropped in silence: the attempt fails, naming each, and the branch keeps one parent", async () => {
    const { fakeApp, runner, env } = await started();
    await runner.run(`echo more > more.txt; ${end([])}`, env);
    const named = ALL.map((path) => `\` ${path} \``).join(", ");
    expect(fakeApp.handedIn).toMatchObject([
      { result: { outcome: "failed", reason: `Unresolved conflicts with the base branch: ${named}.` } },
    ]);
    expect(parents(runner)).toEqual([runner.sha]);
  });

  test("a path counts as resolved by a change of it, or by a word, which the result repeats", async () => {
    const { fakeApp, runner, env } = await started();
    const change = "printf '\\0both' > a.bin; rm theirs.txt; echo both > cut.txt";
    const words = [
      { path: "c.bin", keep: "base" },
      { path: "kept.txt", keep: "base" },
      { path: "ours.txt", keep: "file" },
      { path: "sub", keep: "base" },
      { path: "README.md", keep: "base" },
    ];
    await runner.run(`${change}; ${end(words)}`, env);
    expect(fakeApp.handedIn).toMatchObject([{ result: { outcome: "done" } }]);
    expect(parents(runner)).toHaveLength(2);
    const tree = runner.git(runner.remote, "ls-tree", "-r", "--name-only", runner.branch).split("\n");
    expect(tree.filter((path) => [...ALL, "free.txt"].includes(path))).toEqual([
      "a.bin",
      "c.bin",
      "cut.txt",
      "free.txt",
      "ours.txt",
      "sub",
    ]);
    expect([runner.pushed("c.bin"), runner.pushed("a.bin"), runner.pushed("cut.txt")]).toEqual([
      ...["\0theirs", "\0both", "both"],
    ]);
    expect(runner.git(runner.remote, "ls-tree", runner.branch, "sub")).toContain(SUBS[2]);
    const { body } = z.object({ result: z.object({ body: z.string() }) }).parse(fakeApp.handedIn[0]).result;
    expect(body).toContain("` kept.txt ` conflicted, and is now as the base branch has it.");
    expect(body).not.toContain("a.bin");
  });

  test("what the agent decides of other paths changes nothing of them", async () => {
    const { runner, env } = await started();
    const words = ALL.map((path) => ({ path, keep: "branch" }));
    await runner.run(end([...words, { path: "free.txt", keep: "branch" }, { path: "../x", keep: "base" }]), env);
    expect(parents(runner)).toHaveLength(2);
    expect([runner.pushed("free.txt"), runner.pushed("kept.txt"), runner.pushed("a.bin")]).toEqual([
      ...["t", "ours", "\0ours"],
    ]);
    expect(runner.pushed("cut.txt")).toBeNull();
  });
});
