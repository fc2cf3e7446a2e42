import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Git } from "../../agent/action/git.ts";
import { findMergeBase } from "../../agent/action/merge-base.ts";
import { Secret } from "../../src/contracts/secret.ts";

const tops: string[] = [];
afterEach(() => {
  for (const top of tops.splice(0)) rmSync(top, { recursive: true, force: true });
});

const WHO = ["-c", "user.name=a", "-c", "user.email=a@b.c"];

/** A remote made by `git fast-import`, and a repository with the two named commits alone, one deep. */
function shallow(script: string, head: string, base: string) {
  const top = mkdtempSync(join(tmpdir(), "history-test-"));
  tops.push(top);
  const git = (folder: string, args: string[], input = ""): string =>
    execFileSync("git", [...WHO, ...args], { cwd: folder, encoding: "utf8", input, stdio: "pipe" }).trim();
  git(top, ["init", "--quiet", "--bare", "remote.git"]);
  const remote = join(top, "remote.git");
  git(remote, ["fast-import", "--quiet"], script);
  git(top, ["init", "--quiet", "work"]);
  const work = join(top, "work");
  git(work, ["remote", "add", "origin", `file://${remote}`]);
  const idOf = (ref: string): string => git(remote, ["rev-parse", ref]);
  git(work, ["fetch", "--quiet", "--depth=1", "origin", idOf(head), idOf(base)]);
  const environment = { PATH: process.env.PATH ?? "" };
  const repository = { folder: join(work, ".git"), workTree: work, serverUrl: "https://x.example", environment };
  const ours = new Git(repository, (ms) => ms);
  const find = () => findMergeBase(ours, { head: idOf(head), base: idOf(base), token: new Secret("t") });
  return { idOf, find, commits: () => Number(git(work, ["rev-list", "--count", "--all", "FETCH_HEAD"])) };
}

let mark = 0;
/** A commit of `fast-import` on a branch, with what it stands on. */
const commit = (branch: string, from: string | null, ...merges: string[]): string => {
  mark += 1;
  return [
    ...[`commit refs/heads/${branch}`, `mark :${mark}`, "committer a <a@b.c> 0 +0000", "data 1", "x"],
    ...(from === null ? [] : [`from ${from}`]),
    ...merges.map((merge) => `merge ${merge}`),
    `M 100644 inline ${branch}-${mark}`,
    ...["data 1", "x", ""],
  ].join("\n");
};
const chain = (branch: string, from: string | null, length: number): string =>
  Array.from({ length }, (_, at) => commit(branch, at === 0 ? from : null)).join("\n");

test("a fork far back is found, with as much history as that takes", async () => {
  const script = [chain("root", null, 300), chain("main", "refs/heads/root", 120), chain("job", "refs/heads/root", 3)];
  const { idOf, find } = shallow(script.join("\n"), "refs/heads/job", "refs/heads/main");
  expect(await find()).toBe(idOf("refs/heads/root"));
});

test("an older ancestor that is nearer by another way is not taken for the best one", async () => {
  // main goes on for 200 commits after the job took it in, then merges an old branch that begins far below
  const script = [
    chain("old", null, 1),
    chain("main", "refs/heads/old", 5),
    `reset refs/heads/taken\nfrom refs/heads/main\n`,
    chain("job", "refs/heads/taken", 2),
    chain("main", null, 200),
    chain("side", "refs/heads/old", 1),
    commit("main", null, "refs/heads/side"),
    chain("jobside", "refs/heads/old", 1),
    commit("job", null, "refs/heads/jobside"),
  ];
  const { idOf, find } = shallow(script.join("\n"), "refs/heads/job", "refs/heads/main");
  expect(await find()).toBe(idOf("refs/heads/taken"));
});

test("commits that have nothing in common are told apart from those that are not here yet", async () => {
  const { find } = shallow(
    [chain("job", null, 60), chain("main", null, 60)].join("\n"),
    "refs/heads/job",
    "refs/heads/main",
  );
  expect(await find()).toBeNull();
});
