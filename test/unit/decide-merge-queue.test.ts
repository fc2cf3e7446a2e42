import { describe, expect, it } from "vitest";
import type { Facts, QueueFacts } from "../../src/domain/job/facts.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { exitOf, exitWords } from "../../src/domain/job/merge-queue.ts";
import { evaluate } from "../../src/domain/job/merge-verdict.ts";
import {
  begin,
  briefPushed,
  check,
  decided,
  effectsOf,
  facts,
  led,
  opened,
  resultRead,
  runChanged,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const queue = (change: Partial<QueueFacts> = {}): QueueFacts => ({
  ...{ required: true, entry: null, left: null, failed: [] },
  ...change,
});
const seen = (change: Partial<QueueFacts> = {}, more: Partial<Facts> = {}) =>
  ({ type: "observe", facts: facts({ queue: queue(change), ...more }) }) as const;

const submitted = led(begin(), ...TO_PULL_REQUEST);
const ordered = led(submitted, seen());
const tested = { type: "queue-tests", pull_request: 8, sha: "g" } as const;
const inQueue = led(ordered, tested, { type: "enqueued", sha: "finish", position: 2, left: false });
const left = (reason: string, by: string | null = null, job = inQueue): Job =>
  led(job, { type: "dequeued", pull_request: 8, reason, by });
const red = [check({ name: "e2e", state: "failure", summary: "1 of 9 failed" })];

describe("a base that takes merges through a merge queue", () => {
  it.each(["CLEAN", "HAS_HOOKS", "UNSTABLE", "BEHIND"])("gets what GitHub calls %s", (merge_state) => {
    const decision = step(submitted, seen({}, { merge_state }));
    expect(decided(decision).job.merge).toMatchObject({ state: "queued", sha: "finish", entered_at: null });
    expect(effectsOf(decision)).toContain("enqueue");
    expect(effectsOf(decision)).not.toContain("merge");
  });

  it("gets what is blocked by nothing that is known, unless GitHub can wait for it or a review is missing", () => {
    const how = (change: Partial<Facts>) =>
      evaluate(facts({ queue: queue(), merge_state: "BLOCKED", ...change }), submitted, 0).merge.how;
    expect(how({ auto_merge_allowed: false })).toBe("queue");
    expect(how({ auto_merge_allowed: true })).toBe("auto");
    expect(how({ auto_merge_allowed: false, review: "required" })).toBe("none");
  });

  it("gets nothing that conflicts, is a draft or was objected to", () => {
    for (const change of [
      { mergeable: "conflict" },
      { mergeable: "unknown" },
      { draft: true },
      { review: "changes_requested" },
      { changed_files: ["CODEOWNERS"] },
    ] as const)
      expect(effectsOf(step(submitted, seen({}, change)))).not.toContain("enqueue");
  });

  it("is told once, however often it is looked at before it answers", () => {
    expect(effectsOf(step(ordered, seen()))).not.toContain("enqueue");
    expect(decided(step(ordered, seen())).job.merge).toEqual(ordered.merge);
  });

  it("shows the place, which moves, and takes over what a person has put into it", () => {
    expect(inQueue.merge).toMatchObject({ state: "queued", position: 2 });
    const next = decided(step(inQueue, seen({ entry: { position: 1 } })));
    expect(next.job.merge).toMatchObject({ position: 1 });
    expect(next.job.reasons[1]?.text).toBe("it is in the merge queue of main, position 1");
    const theirs = led(submitted, seen({ entry: { position: null } }));
    expect(theirs.merge).toMatchObject({ state: "queued", position: null });
    expect(theirs.merge).not.toMatchObject({ entered_at: null });
  });

  it("is left again where the work is not good any more, or another round begins", () => {
    const objected = step(inQueue, seen({ entry: { position: 1 } }, { review: "changes_requested" }));
    expect(effectsOf(objected)).toContain("disable-auto-merge");
    const moved = step(inQueue, seen({ entry: { position: 1 } }, { head_sha: "other" }));
    expect(effectsOf(moved)).toContain("disable-auto-merge");
    const by = { account: "ada", login: "ada" };
    const asked = step(inQueue, { type: "message", text: "More.", by, comment_id: 1 });
    expect(effectsOf(asked)).toEqual(expect.arrayContaining(["disable-auto-merge", "push-brief"]));
    expect(decided(asked).job.merge_queue).toEqual({ exits: 0, rounds: 0, why: null, group_sha: null });
  });

  it("is left for good where somebody cancels the job, whatever is looked at later", () => {
    const by = { account: "ada", login: "ada" };
    const cancelled = step(inQueue, { type: "cancel", by });
    expect(effectsOf(cancelled)).toContain("disable-auto-merge");
    const { job } = decided(cancelled);
    expect(job).toMatchObject({ status: "verified", merge: { state: "off", why: "ada has cancelled it" } });
    expect(step(job, seen()).kind).toBe("unchanged");
    expect(step(job, { type: "cancel", by }).kind).toBe("unchanged");
  });

  it("deletes the branch after the merge, as the settings say", () => {
    const decision = step(inQueue, { type: "merged", pull_request: 8, by: "github-merge-queue[bot]", at: 1 });
    expect(effectsOf(decision)).toContain("delete-branch");
  });
});

describe("what leaves the merge queue", () => {
  it("is looked at, whatever an old event says, and stays if its entry is still there", () => {
    const job = left("CI_FAILURE");
    expect(job.merge).toMatchObject({ state: "queued", left: { reason: "CI_FAILURE" } });
    expect(led(job, seen({ entry: { position: 1 } })).merge).toMatchObject({ state: "queued", left: null });
  });

  it("for red checks goes into a round of its own that is told of them, twice at most", () => {
    const again = decided(step(left("CI_FAILURE"), seen({ failed: red })));
    expect(again.job).toMatchObject({ status: "queued", round: 2, merge_queue: { rounds: 1 } });
    expect(again.job.failure).toBe("The check “e2e” failed.\n1 of 9 failed");
    // foreign words stand in the failure, never in the task
    expect(again.job.rounds.at(-1)?.asked).not.toContain("e2e");
    expect(effectsOf(again)).toContain("push-brief");
    const tired = { ...left("CI_FAILURE"), merge_queue: { exits: 0, rounds: 2, why: null, group_sha: "g" } };
    expect(led(tired, seen({ failed: red })).merge).toEqual({
      state: "off",
      why: "its checks failed in the merge queue: e2e",
    });
  });

  it("for red checks, and conflicts after each of its rounds, ends with a person, since nobody has asked for more", () => {
    const ran = (job: Job): Job => {
      const sha = `brief-${job.round}`;
      const run = { id: 500 + job.round };
      const ended = { ...run, status: "completed", conclusion: "success" } as const;
      const { round } = job;
      const result = resultRead({}, round);
      return led(job, briefPushed(round, 1, sha), runChanged(run, sha), runChanged(ended, sha), result, opened(round));
    };
    const conflict = seen({}, { mergeable: "conflict" });
    let job = submitted;
    for (let rounds = 0; rounds < 20; rounds += 2) {
      job = led(job, seen(), tested, { type: "enqueued", sha: "finish", position: 2, left: false });
      job = led(left("CI_FAILURE", null, job), seen({ failed: red }));
      if (job.status !== "queued") break;
      job = led(ran(job), conflict, { type: "turn", after: null }, conflict);
      expect(job).toMatchObject({ status: "queued", catch_up: { resolving: true } });
      job = ran(job);
    }
    expect(job).toMatchObject({ round: 5, merge: { state: "off", why: "its checks failed in the merge queue: e2e" } });
    expect(job.catch_up.rounds).toBe(2);
  });

  it("for red checks is looked at again while the commit that was tested is not known, twice", () => {
    const untold = (job: Job): Job => led(job, seen({ left: { reason: "failed_checks", at: 5 } }));
    expect(effectsOf(step(ordered, seen({ left: { reason: "failed_checks", at: 5 } })))).toEqual(["read-facts"]);
    const job = untold(untold(ordered));
    expect(job.round).toBe(1);
    expect(untold(job)).toMatchObject({ round: 2, failure: "its checks failed in the merge queue." });
  });

  it("by a person's hand stays out; after a push it is judged again", () => {
    expect(led(left("MANUAL", "mona"), seen()).merge).toEqual({
      state: "off",
      why: "mona has taken it out of the merge queue",
    });
    expect(led(left("MANUAL", "mona"), seen({}, { head_sha: "other" })).merge.state).toBe("waiting");
  });

  it.each(["CI_TIMEOUT", "QUEUE_CLEARED", "ROLL_BACK", "SOMETHING_NEW"])("for %s is added again, twice", (reason) => {
    let job = inQueue;
    for (const exits of [1, 2]) {
      const again = step(left(reason, null, job), seen());
      expect(effectsOf(again)).toContain("enqueue");
      expect(decided(again).job.merge_queue).toMatchObject({ exits, why: exitWords(reason) });
      job = led(decided(again).job, { type: "enqueued", sha: "finish", position: 1, left: false });
    }
    expect(led(left(reason, null, job), seen()).merge).toMatchObject({
      state: "off",
      why: `the merge queue has thrown it out 3 times, last because ${exitWords(reason)}`,
    });
  });

  it("for a conflict waits as any conflict does, and is added again where it conflicted with what was ahead", () => {
    const job = left("MERGE_CONFLICT");
    expect(led(job, seen({}, { mergeable: "conflict" })).merge.state).not.toBe("queued");
    expect(effectsOf(step(job, seen()))).toContain("enqueue");
  });

  it("without a word is looked at again, since it may be merged a moment later, but not for ever", () => {
    let job = inQueue;
    for (let look = 1; look <= 5; look++) {
      expect(effectsOf(step(job, seen()))).toEqual(["read-facts"]);
      job = led(job, seen());
    }
    expect(effectsOf(step(job, seen()))).toContain("enqueue");
  });

  it("is known from the timeline, unless that tells of what came before it was added", () => {
    const timed = (at: number) => seen({ left: { reason: "checks_timed_out", at } });
    expect(led(inQueue, timed(5)).merge_queue.exits).toBe(1);
    const later = led(submitted, timed(5), { type: "enqueued", sha: "finish", position: 2, left: false });
    expect(led(later, timed(5)).merge_queue.exits).toBe(0);
    expect(led(later, timed(6)).merge_queue.exits).toBe(1);
  });

  it("before it was seen there is looked at at once, and its red checks make a round like any other", () => {
    const quick = step(led(ordered, tested), { type: "enqueued", sha: "finish", position: null, left: true });
    expect(effectsOf(quick)).toContain("read-facts");
    const { job } = decided(quick);
    expect(led(job, seen({ left: { reason: "failed_checks", at: 5 }, failed: red }))).toMatchObject({
      round: 2,
      merge_queue: { rounds: 1 },
    });
  });
});

it("knows GitHub's reasons in both spellings", () => {
  const kinds = Object.entries({
    checks: ["CI_FAILURE", "failed_checks"],
    timeout: ["CI_TIMEOUT", "checks_timed_out"],
    conflict: ["MERGE_CONFLICT", "merge_conflict"],
    merged: ["MERGE", "merged", "ALREADY_MERGED"],
    person: ["MANUAL", "manual"],
    other: ["BRANCH_PROTECTIONS", "GIT_TREE_INVALID", "INVALID_MERGE_COMMIT", "UNKNOWN_REMOVAL_REASON"],
    gone: [""],
  });
  for (const [kind, reasons] of kinds)
    for (const reason of reasons) expect([reason, exitOf(reason)]).toEqual([reason, kind]);
});

it("takes what GitHub says of another pull request, or of none, for no news", () => {
  for (const command of [
    { type: "dequeued", pull_request: 9, reason: "MANUAL", by: "mona" },
    { type: "queue-tests", pull_request: 9, sha: "g" },
    { type: "enqueued", sha: "other", position: 1, left: false },
  ] as const)
    expect(step(inQueue, command).kind).toBe("unchanged");
  expect(led(inQueue, { type: "queue-tests", pull_request: 8, sha: "h" }).merge_queue.group_sha).toBe("h");
  expect(
    step(led(begin(), ...TO_PULL_REQUEST.slice(0, -1), opened()), { type: "queue-tests", pull_request: 8, sha: "g" })
      .kind,
  ).toBe("unchanged");
});
