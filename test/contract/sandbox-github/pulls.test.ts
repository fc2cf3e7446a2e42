import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { field, git, graphql, message, pushBranch, REPO, text, type World, world } from "./kit.ts";

let serial = 0;

/** A pull request of the App with one file; returns number and head. */
async function open(w: World, file = `f${serial}.txt`, content = "new\n", body = "why") {
  serial += 1;
  const branch = `job/p${serial}`;
  const sha = await pushBranch(w.call, w.github, branch, { [file]: content });
  const answer = await w.call(`POST /repos/${REPO}/pulls`, {
    title: `Change ${serial}`,
    body,
    head: branch,
    base: "main",
  });
  expect(answer.status).toBe(201);
  return { number: z.number().parse(field(answer, "number")), sha, branch, answer };
}

const check = (w: World, sha: string, name: string, conclusion?: string) =>
  w.call(`POST /repos/${REPO}/check-runs`, {
    name,
    head_sha: sha,
    ...(conclusion ? { conclusion } : { status: "in_progress" }),
  });

describe("pull requests", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());
  beforeEach(async () => {
    await w.github.idle();
    w.app.received.length = 0;
  });

  it("open once, and only with commits", async () => {
    const { branch, answer } = await open(w);
    expect(answer.body).toMatchObject({
      state: "open",
      mergeable: null,
      merged: false,
      user: { login: "journeyman[bot]" },
      commits: 1,
      changed_files: 1,
    });
    const again = await w.call(`POST /repos/${REPO}/pulls`, { title: "x", head: branch, base: "main" });
    expect([again.status, JSON.stringify(again.body)]).toEqual([
      422,
      expect.stringContaining(`A pull request already exists for octo:${branch}.`),
    ]);
    await w.call(`POST /repos/${REPO}/git/refs`, { ref: "refs/heads/same", sha: w.github.branches(REPO).main });
    const none = await w.call(`POST /repos/${REPO}/pulls`, { title: "x", head: "same", base: "main" });
    expect(JSON.stringify(none.body)).toContain("No commits between main and same");
    const missing = await w.call(`POST /repos/${REPO}/pulls`, { title: "x", head: "nowhere", base: "main" });
    expect(missing.body).toMatchObject({ message: "Validation Failed", errors: [{ field: "head", code: "invalid" }] });
    expect(
      z.array(z.unknown()).parse((await w.call(`GET /repos/${REPO}/pulls?head=octo:${branch}`)).body),
    ).toHaveLength(1);
  });

  it("know whether they are mergeable only after being asked", async () => {
    const { number } = await open(w);
    w.github.pushCommit(REPO, "main", { [`m${number}.txt`]: "x" }, "octo");
    await w.github.idle();
    const first = await w.call(`GET /repos/${REPO}/pulls/${number}`);
    expect([field(first, "mergeable"), text(first, "mergeable_state")]).toEqual([null, "unknown"]);
    await w.github.idle();
    const second = await w.call(`GET /repos/${REPO}/pulls/${number}`);
    expect([field(second, "mergeable"), text(second, "mergeable_state"), field(second, "additions")]).toEqual([
      true,
      "clean",
      1,
    ]);
  });

  it("follow their branch and close with it", async () => {
    const { number, branch } = await open(w);
    await w.github.idle();
    w.app.received.length = 0;
    const sha = w.github.pushCommit(REPO, branch, { "more.txt": "more" }, "writer");
    w.github.deleteBranch(REPO, branch, "writer");
    await w.github.idle();
    expect(w.app.names()).toEqual([
      "push",
      "check_suite.requested",
      "pull_request.synchronize",
      "push",
      "delete",
      "pull_request.closed",
    ]);
    expect(w.github.pulls(REPO).find((one) => one.number === number)).toMatchObject({
      state: "closed",
      merged: false,
      headSha: sha,
    });
  });

  it.each([
    ["squash", 1],
    ["merge", 2],
    ["rebase", 1],
  ])("merge by %s in git", async (method, parents) => {
    const number0 = w.github.openIssue(REPO, { title: "to be closed", by: "octo" });
    const { number, sha } = await open(w, `${method}.txt`, "merged\n", `Closes #${number0}`);
    w.github.pushCommit(REPO, "main", { [`beside-${method}.txt`]: "x" }, "octo");
    const merged = await w.call(`PUT /repos/${REPO}/pulls/${number}/merge`, { merge_method: method, sha });
    expect(merged.body).toMatchObject({ merged: true });
    const [tip] = w.github.log(REPO, "main");
    expect(tip).toMatchObject({ sha: text(merged, "sha") });
    expect(tip?.parents).toHaveLength(parents);
    expect(w.github.readFile(REPO, "main", `${method}.txt`)).toBe("merged\n");
    expect(w.github.readFile(REPO, "main", `beside-${method}.txt`)).toBe("x");
    expect(w.github.issue(REPO, number0).state).toBe("closed");
    await w.github.idle();
    expect(
      w.app.received.find((one) => one.event === "pull_request" && one.action === "closed")?.payload,
    ).toMatchObject({ pull_request: { merged: true, number } });
    expect((await w.call(`PUT /repos/${REPO}/pulls/${number}/merge`, {})).status).toBe(405);
    expect((await git(w.folder, ["clone", "-q", `${w.github.url}/${REPO}.git`, method])).code).toBe(0);
    expect((await git(`${w.folder}/${method}`, ["fsck", "--strict"])).code).toBe(0);
  });

  it("refuse a moved head with 409 and a conflict with 405", async () => {
    const { number, branch, sha } = await open(w, "src/a.txt", "mine\n");
    w.github.pushCommit(REPO, branch, { "late.txt": "late" }, "writer");
    const moved = await w.call(`PUT /repos/${REPO}/pulls/${number}/merge`, { sha });
    expect([moved.status, message(moved)]).toEqual([409, "Head branch was modified. Review and try the merge again."]);
    w.github.pushCommit(REPO, "main", { "src/a.txt": "theirs\n" }, "octo");
    const conflict = await w.call(`PUT /repos/${REPO}/pulls/${number}/merge`, {});
    expect([conflict.status, message(conflict)]).toEqual([405, "Pull Request is not mergeable"]);
    await w.call(`GET /repos/${REPO}/pulls/${number}`);
    await w.github.idle();
    expect((await w.call(`GET /repos/${REPO}/pulls/${number}`)).body).toMatchObject({
      mergeable: false,
      mergeable_state: "dirty",
    });
  });

  it("are held by required checks and reviews, in GitHub's words", async () => {
    const { number, sha } = await open(w);
    w.github.protect(REPO, "main", { requiredChecks: ["ci", "lint"], requiredReviews: 1 });
    const merge = () => w.call(`PUT /repos/${REPO}/pulls/${number}/merge`, { sha });
    expect(message(await merge())).toBe(
      "2 of 2 required status checks are expected.\nAt least 1 approving review is required by reviewers with write access.",
    );
    await check(w, sha, "ci", "success");
    w.github.setStatus(REPO, sha, "lint", "failure");
    w.github.review(REPO, number, { state: "APPROVED", by: "writer" });
    expect(message(await merge())).toBe('Required status check "lint" is failing.');
    w.github.setStatus(REPO, sha, "lint", "success");
    expect((await merge()).status).toBe(200);
    w.github.unprotect(REPO, "main");
  });

  it("cannot be approved by their author", async () => {
    const { number } = await open(w);
    const own = await w.call(`POST /repos/${REPO}/pulls/${number}/reviews`, { event: "APPROVE" });
    expect(own.body).toMatchObject({ errors: ["Can not approve your own pull request"] });
  });

  it("are reviewed by the line, where the line is part of the diff, and each comment has its event", async () => {
    const { number, sha } = await open(w);
    const [{ filename }] = z
      .tuple([z.object({ filename: z.string() })])
      .parse((await w.call(`GET /repos/${REPO}/pulls/${number}/files`)).body);
    const said = { path: filename, line: 1, body: "why?" };
    const before = w.app.received.length;
    const alone = await w.call(`POST /repos/${REPO}/pulls/${number}/comments`, { ...said, commit_id: sha });
    expect([alone.status, alone.body]).toMatchObject([201, { path: filename, line: 1, commit_id: sha, body: "why?" }]);
    const comments = [said, { ...said, body: "and why?" }];
    const reviewed = await w.call(`POST /repos/${REPO}/pulls/${number}/reviews`, { event: "COMMENT", comments });
    expect(reviewed.status).toBe(200);
    await w.github.idle();
    const events = w.app.received.slice(before).map(({ event }) => event);
    expect(events.filter((event) => event === "pull_request_review_comment")).toHaveLength(3);
    expect(events.filter((event) => event === "pull_request_review")).toHaveLength(2);
    for (const wrong of [{ line: 999 }, { path: "not-changed.txt" }]) {
      const body = { ...said, ...wrong, commit_id: sha };
      expect((await w.call(`POST /repos/${REPO}/pulls/${number}/comments`, body)).status).toBe(422);
    }
    expect(w.github.reviews(REPO, number).flatMap((one) => one.comments)).toHaveLength(3);
  });

  it("from a fork name a foreign head", async () => {
    const number = w.github.openForkPullRequest(REPO, {
      title: "from outside",
      by: "stranger",
      files: { "x.txt": "x" },
    });
    const answer = await w.call(`GET /repos/${REPO}/pulls/${number}`);
    expect(answer.body).toMatchObject({
      head: { label: "stranger:patch-1", repo: { full_name: "stranger/demo", fork: true } },
      base: { repo: { full_name: REPO } },
    });
    const files = await w.call(`GET /repos/${REPO}/pulls/${number}/files`);
    expect(files.body).toMatchObject([{ filename: "x.txt", status: "added" }]);
  });
});

describe("auto-merge", () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });
  afterAll(() => w.close());
  const enable = async (number: number, expectedHeadOid?: string) => {
    const id = text(await w.call(`GET /repos/${REPO}/pulls/${number}`), "node_id");
    return graphql(
      w.call,
      "mutation M($id: ID!, $oid: GitObjectID) { enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: SQUASH, expectedHeadOid: $oid}) { pullRequest { autoMergeRequest { enabledAt mergeMethod } } } }",
      { id, oid: expectedHeadOid },
    );
  };
  const refusal = async (number: number) => (await enable(number)).errors?.[0]?.message;

  it("is refused with GitHub's sentences until it makes sense, then merges by itself", async () => {
    const { number, sha, branch } = await open(w);
    expect(await refusal(number)).toBe("Auto merge is not allowed for this repository");
    w.github.setRepository(REPO, { autoMergeAllowed: true, deleteBranchOnMerge: true });
    expect(await refusal(number)).toBe("Protected branch rules not configured for this branch");
    w.github.protect(REPO, "main", { requiredChecks: ["ci"] });
    await check(w, sha, "ci", "success");
    expect(await refusal(number)).toBe("Pull request is in clean status");
    await check(w, sha, "other", "failure");
    expect(await refusal(number)).toBe("Pull request is in unstable status");
    await check(w, sha, "ci");
    expect((await enable(number, "1".repeat(40))).errors).toHaveLength(1);
    const on = await enable(number, sha);
    expect(on).toMatchObject({
      status: 200,
      data: { enablePullRequestAutoMerge: { pullRequest: { autoMergeRequest: { mergeMethod: "SQUASH" } } } },
    });
    await w.github.idle();
    expect(w.app.names()).toContain("pull_request.auto_merge_enabled");
    expect(w.github.pulls(REPO).at(-1)).toMatchObject({ autoMerge: true, merged: false });
    await check(w, sha, "ci", "success");
    await w.github.idle();
    expect(w.github.pulls(REPO).at(-1)).toMatchObject({ merged: true, state: "closed" });
    expect(Object.keys(w.github.branches(REPO))).not.toContain(branch);
    w.github.unprotect(REPO, "main");
  });

  it("can be turned off again", async () => {
    w.github.protect(REPO, "main", { requiredChecks: ["ci"] });
    const { number } = await open(w);
    await enable(number);
    const id = text(await w.call(`GET /repos/${REPO}/pulls/${number}`), "node_id");
    const off = await graphql(
      w.call,
      `mutation { disablePullRequestAutoMerge(input: {pullRequestId: "${id}"}) { pullRequest { autoMergeRequest { enabledAt } } } }`,
    );
    expect(off.data).toEqual({ disablePullRequestAutoMerge: { pullRequest: { autoMergeRequest: null } } });
    w.github.unprotect(REPO, "main");
  });
});
