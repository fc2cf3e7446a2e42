import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { PERMISSIONS } from "../../sandbox/github/app-permissions.ts";
import { field, graphql, message, pushBranch, REPO, text, type World, world } from "./kit.ts";

const QUEUE = { requiredChecks: ["test"], mergeQueue: { method: "squash", builds: 2 } } as const;
const ENQUEUE = `mutation Enqueue($id: ID!, $sha: GitObjectID) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $sha }) { mergeQueueEntry { position state } }
}`;
const STATE = `query($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) { pullRequest(number: $number) {
    isMergeQueueEnabled isInMergeQueue mergeQueueEntry { position }
    timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) {
      nodes { ... on RemovedFromMergeQueueEvent { reason } }
    }
  } }
}`;

describe("a merge queue of the local GitHub", () => {
  let w: World;
  beforeEach(async () => {
    w = await world();
    w.github.protect(REPO, "main", QUEUE);
  });
  afterEach(() => w.close());

  /** A pull request that is green by itself. */
  async function green(name: string, files = { [`${name}.txt`]: `${name}\n` }) {
    const sha = await pushBranch(w.call, w.github, name, files);
    const opened = await w.call(`POST /repos/${REPO}/pulls`, { title: name, head: name, base: "main" });
    w.github.setStatus(REPO, sha, "test", "success");
    await w.github.idle();
    return { sha, id: text(opened, "node_id"), number: z.number().parse(field(opened, "number")) };
  }

  const enqueue = (pull: { id: string; sha: string }, sha = pull.sha) => graphql(w.call, ENQUEUE, { id: pull.id, sha });
  const state = (number: number) => graphql(w.call, STATE, { owner: "octo", repo: "demo", number });
  /** The branch on which the queue tests a pull request, and its commit. */
  const groupOf = (number: number): [string, string] =>
    Object.entries(w.github.branches(REPO)).find(([name]) => name.includes(`/main/pr-${number}-`)) ?? ["", ""];
  const main = () => w.github.branches(REPO).main ?? "";

  it("is the only way to merge", async () => {
    const pull = await green("a");
    const answer = await w.call(`PUT /repos/${REPO}/pulls/${pull.number}/merge`, { sha: pull.sha });
    expect([answer.status, message(answer)]).toEqual([405, expect.stringContaining("through the merge queue")]);
  });

  it("tests each on top of what is ahead, merges in order, and tells of each step", async () => {
    const [a, b] = [await green("a"), await green("b")];
    w.app.received.length = 0;
    expect(await enqueue(a)).toMatchObject({ data: { enqueuePullRequest: { mergeQueueEntry: { position: 1 } } } });
    expect(await enqueue(b)).toMatchObject({ data: { enqueuePullRequest: { mergeQueueEntry: { position: 2 } } } });
    await w.github.idle();
    expect(Object.keys(w.github.tree(REPO, groupOf(b.number)[1]))).toEqual(expect.arrayContaining(["a.txt", "b.txt"]));
    // the one behind is green first, and waits
    w.github.setStatus(REPO, groupOf(b.number)[1], "test", "success");
    await w.github.idle();
    expect(w.github.mergeQueue(REPO, "main")).toEqual([a.number, b.number]);
    w.github.setStatus(REPO, groupOf(a.number)[1], "test", "success");
    await w.github.idle();
    expect(w.github.mergeQueue(REPO, "main")).toEqual([]);
    expect(w.github.pulls(REPO).map((pull) => pull.merged)).toEqual([true, true]);
    expect(w.github.log(REPO, "main").map(({ message }) => message.split("\n")[0])).toEqual([
      ...[`b (#${b.number})`, `a (#${a.number})`, "Initial commit"],
    ]);
    const of = (name: string) => w.app.names().filter((one) => one === name).length;
    expect(["merge_group.checks_requested", "pull_request.enqueued", "pull_request.dequeued"].map(of)).toEqual([
      2, 2, 2,
    ]);
    expect(Object.keys(w.github.branches(REPO)).filter((name) => name.startsWith("gh-readonly-queue"))).toEqual([]);
  });

  it("throws out what is red, and builds what is behind it anew", async () => {
    const [a, b] = [await green("a"), await green("b")];
    await enqueue(a);
    await enqueue(b);
    await w.github.idle();
    const before = groupOf(b.number)[1];
    w.github.setStatus(REPO, groupOf(a.number)[1], "test", "failure");
    await w.github.idle();
    expect(w.github.mergeQueue(REPO, "main")).toEqual([b.number]);
    const [, after] = groupOf(b.number);
    expect(after).not.toBe(before);
    expect(Object.keys(w.github.tree(REPO, after))).not.toContain("a.txt");
    const left = w.app.received.find(({ action }) => action === "dequeued");
    expect(left?.payload).toMatchObject({ reason: "CI_FAILURE", sender: { login: "github-merge-queue[bot]" } });
    const pull = {
      isInMergeQueue: false,
      mergeQueueEntry: null,
      timelineItems: { nodes: [{ reason: "failed_checks" }] },
    };
    expect(await state(a.number)).toMatchObject({ data: { repository: { pullRequest: pull } } });
  });

  it("throws out what conflicts with what is ahead of it, and what somebody pushes to", async () => {
    const [a, b, c] = [await green("a"), await green("b", { "a.txt": "other\n" }), await green("c")];
    for (const pull of [a, b, c]) await enqueue(pull);
    await w.github.idle();
    expect(w.github.mergeQueue(REPO, "main")).toEqual([a.number, c.number]);
    w.github.pushCommit(REPO, "c", { "c.txt": "again\n" }, "writer");
    await w.github.idle();
    expect(w.github.mergeQueue(REPO, "main")).toEqual([a.number]);
    const reasons = w.app.received.filter(({ action }) => action === "dequeued").map(({ payload }) => payload.reason);
    expect(reasons).toEqual(["MERGE_CONFLICT", "MANUAL"]);
  });

  it("builds anew when the base moves otherwise", async () => {
    const a = await green("a");
    await enqueue(a);
    await w.github.idle();
    w.github.pushCommit(REPO, "main", { "z.txt": "z\n" }, "octo");
    await w.github.idle();
    expect(w.github.log(REPO, groupOf(a.number)[1])[1]?.sha).toBe(main());
  });

  it("refuses a head that has moved, what is red, a draft, and what is in it already", async () => {
    const a = await green("a");
    const refusal = async (answer: Promise<unknown>) =>
      z.object({ errors: z.tuple([z.object({ message: z.string() })]) }).parse(await answer).errors[0].message;
    expect(await refusal(enqueue(a, "0".repeat(40)))).toContain("Head branch was modified");
    await enqueue(a);
    expect(await refusal(enqueue(a))).toContain("already in the queue");
    const b = await green("b");
    w.github.setStatus(REPO, b.sha, "test", "failure");
    expect(await refusal(enqueue(b))).toContain('Required status check "test" is failing');
    w.github.unprotect(REPO, "main");
    expect(await refusal(enqueue(b))).toContain("not enabled");
  });

  it("takes an order without an error and does not follow it, when told to", async () => {
    const a = await green("a");
    w.github.swallowQueueOrders(REPO, 1);
    expect(await enqueue(a)).toEqual({ status: 200, data: { enqueuePullRequest: { mergeQueueEntry: null } } });
    expect(await enqueue(a)).toMatchObject({ data: { enqueuePullRequest: { mergeQueueEntry: { position: 1 } } } });
  });

  it("keeps places and its own events from an installation that lacks the permission", async () => {
    const { merge_queues: _, ...permissions } = PERMISSIONS;
    await w.close();
    w = await world({ permissions });
    w.github.protect(REPO, "main", QUEUE);
    const a = await green("a");
    await enqueue(a);
    await w.github.idle();
    const pull = { isMergeQueueEnabled: true, isInMergeQueue: true, mergeQueueEntry: null };
    expect(await state(a.number)).toMatchObject({
      data: { repository: { pullRequest: pull } },
      errors: [{ type: "FORBIDDEN", path: ["repository", "pullRequest", "mergeQueueEntry"] }],
    });
    expect(w.app.names()).not.toContain("merge_group.checks_requested");
    expect(w.app.names()).toContain("pull_request.enqueued");
  });
});
