/** “Update branch” and what becomes of a pull request whose base branch is deleted, as GitHub has it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { field, message, pushBranch, REPO, type World, world } from "./kit.ts";

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

let serial = 0;
async function open(files: Readonly<Record<string, string>>, base = "main") {
  serial += 1;
  const branch = `job/u${serial}`;
  const sha = await pushBranch(w.call, w.github, branch, files);
  const answer = await w.call(`POST /repos/${REPO}/pulls`, { title: "Change", head: branch, base });
  return { number: z.number().parse(field(answer, "number")), sha, branch };
}
const update = (number: number, expected_head_sha?: string) =>
  w.call(
    `PUT /repos/${REPO}/pulls/${number}/update-branch`,
    expected_head_sha === undefined ? {} : { expected_head_sha },
  );
const pushToMain = (files: Readonly<Record<string, string>>): string => w.github.pushCommit(REPO, "main", files, "ada");

describe("“Update branch”", () => {
  it("merges the base later, by the App, with an event and both parents", async () => {
    const { number, sha, branch } = await open({ "a.txt": "a\n" });
    expect(message(await update(number))).toMatch(/no new commits on the base branch/);
    const base = pushToMain({ "b.txt": "b\n" });
    w.app.received.length = 0;
    const answer = await update(number, sha);
    expect([answer.status, message(answer)]).toEqual([202, "Updating pull request branch."]);
    await w.github.idle();
    const [head] = w.github.log(REPO, branch);
    expect(head?.parents).toEqual([sha, base]);
    expect(head?.message).toBe(`Merge branch 'main' into ${branch}`);
    expect(w.app.names()).toEqual(expect.arrayContaining(["push", "pull_request.synchronize"]));
  });

  it("refuses a stale head, a conflict, and a pull request that is closed", async () => {
    const { number, sha } = await open({ "c.txt": "ours\n" });
    pushToMain({ "c.txt": "theirs\n" });
    expect(await update(number, "1".repeat(40))).toMatchObject({ status: 422 });
    const answer = await update(number, sha);
    expect([answer.status, message(answer)]).toEqual([422, "merge conflict between base and head"]);
    await w.call(`PATCH /repos/${REPO}/pulls/${number}`, { state: "closed" });
    expect((await update(number, sha)).status).toBe(422);
  });

  it("refuses an App without `workflows` what the base has changed there, where GitHub does, and a person nothing", async () => {
    const { number, branch } = await open({ "d.txt": "d\n" });
    const base = pushToMain({ ".github/workflows/new.yml": "on: push\n" });
    const answer = await update(number);
    expect(answer.status).toBe(422);
    expect(message(answer)).toMatch(
      /refusing to allow a GitHub App to create or update workflow `\.github\/workflows\/new/,
    );
    w.github.setRepository(REPO, { appsUpdateWorkflows: true });
    expect((await update(number)).status).toBe(202);
    await w.github.idle();
    expect(w.github.log(REPO, branch)[0]?.parents).toContain(base);
    w.github.setRepository(REPO, { appsUpdateWorkflows: false });
    const other = await open({ "e.txt": "e\n" });
    pushToMain({ ".github/workflows/new.yml": "on: [push]\n" });
    expect(await w.github.updateBranch(REPO, other.number, "ada")).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("a deleted base branch", () => {
  const stateOf = (number: number) => w.github.pulls(REPO).find((one) => one.number === number);

  it("closes its pull requests", async () => {
    w.github.pushCommit(REPO, "gone", { "g.txt": "g\n" }, "ada");
    const { number } = await open({ "f.txt": "f\n" }, "gone");
    w.github.deleteBranch(REPO, "gone", "ada");
    await w.github.idle();
    expect(stateOf(number)).toMatchObject({ state: "closed", merged: false });
  });

  it("that was merged hands them on to the branch that it was merged into", async () => {
    w.github.pushCommit(REPO, "first", { "h.txt": "h\n" }, "ada");
    const first = w.github.openPullRequest(REPO, { title: "First", head: "first", by: "ada" });
    const { number } = await open({ "i.txt": "i\n" }, "first");
    await w.github.mergeByHand(REPO, first, "ada");
    w.github.deleteBranch(REPO, "first", "ada");
    await w.github.idle();
    expect(stateOf(number)).toMatchObject({ state: "open", base: { ref: "main" } });
  });
});
