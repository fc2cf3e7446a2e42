/** The run action's push where commits must be signed, against the local GitHub. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Git } from "../../agent/action/git.ts";
import { pushTree } from "../../agent/action/push.ts";
import { Secret } from "../../src/contracts/secret.ts";
import { git, REPO, type World, world } from "./sandbox-github/kit.ts";

const BRANCH = "job/ab12cd34";

let w: World;
beforeEach(async () => {
  w = await world();
  w.github.requireSignatures(REPO, "job/**");
});
afterEach(() => w.close());

/** A checkout of the job's branch with work in it: a program, a link and a large file. */
async function work() {
  w.github.pushCommit(REPO, BRANCH, { "brief.txt": "brief\n" }, "writer");
  const head = w.github.branches(REPO)[BRANCH] ?? "";
  const url = `${w.github.url}/${REPO}.git`;
  const folder = join(w.folder, "work");
  mkdirSync(folder);
  for (const args of [
    ["init", "--quiet"],
    ["fetch", "--quiet", url, BRANCH],
    ["checkout", "--quiet", "FETCH_HEAD"],
  ])
    await git(folder, args);
  writeFileSync(join(folder, "run.sh"), "#!/bin/sh\n");
  chmodSync(join(folder, "run.sh"), 0o755);
  symlinkSync("run.sh", join(folder, "link"));
  writeFileSync(join(folder, "large.bin"), Buffer.alloc(3_000_000, 7));
  await git(folder, ["add", "--all"]);
  const environment = { PATH: process.env.PATH ?? "", HOME: folder };
  const repository = { folder: join(folder, ".git"), workTree: folder, serverUrl: w.github.url, environment };
  const ours = new Git(repository, (ms) => ms);
  const tree = (await git(folder, ["write-tree"])).out;
  const push = (signed: boolean) =>
    pushTree(
      ours,
      tree,
      {
        ...{ branch: BRANCH, url, head, message: "Add a program\n\nJob: ab12cd34", merged: null, signed },
        api: { url: w.github.apiUrl, repository: REPO },
      },
      new Secret(w.token),
    );
  return { push, head, tree };
}

const tip = () => w.github.log(REPO, BRANCH)[0];
const pushes = () => w.app.received.filter(({ event }) => event === "push").length;

test.each([
  ["after a rule has refused an unsigned commit", false],
  ["at once, where the brief says so", true],
])("makes a signed commit of the very same tree, %s", async (_when, signed) => {
  const { push, head, tree } = await work();
  await w.github.idle();
  w.app.received.length = 0;
  expect(await push(signed)).toEqual({ ok: true });
  await w.github.idle();
  expect(tip()).toMatchObject({ tree, parents: [head], message: "Add a program\n\nJob: ab12cd34" });
  expect(w.github.isSigned(REPO, tip()?.sha ?? "")).toBe(true);
  expect(pushes()).toBe(1);
  expect(w.github.refs(REPO, "refs/journeyman/")).toEqual([]);
});

test("keeps what others have pushed meanwhile, and takes no file from them", async () => {
  const { push, head } = await work();
  const theirs = w.github.pushCommit(REPO, BRANCH, { "theirs.txt": "theirs\n" }, "writer");
  expect(await push(false)).toEqual({ ok: true });
  expect(tip()?.parents).toEqual([theirs]);
  expect(Object.keys(w.github.tree(REPO, BRANCH))).toEqual(expect.arrayContaining(["theirs.txt", "run.sh"]));
  expect(head).not.toBe(theirs);
});

test("does not bring back a branch that is gone, nor leave anything beside", async () => {
  const { push } = await work();
  w.github.deleteBranch(REPO, BRANCH, "writer");
  expect(await push(true)).toEqual({ ok: false, why: "gone" });
  expect(w.github.refs(REPO, "refs/journeyman/")).toEqual([]);
  expect(w.github.branches(REPO)[BRANCH]).toBeUndefined();
});

test("says what GitHub said where it does not make the commit either", async () => {
  const { push } = await work();
  w.github.faults.add({ match: { method: "POST", path: /\/git\/commits$/ }, status: 403 });
  const answer = await push(true);
  expect(answer).toMatchObject({ ok: false, why: "refused", rule: false });
  expect(w.github.refs(REPO, "refs/journeyman/")).toEqual([]);
});
