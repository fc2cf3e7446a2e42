import { describe, expect, it } from "vitest";
import { PERMANENT_ERRORS } from "../../src/contracts/result.ts";
import type { RepositorySettings } from "../../src/contracts/settings.ts";
import { blobsOf } from "../../src/domain/job/attachments.ts";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { BRANCH_LIMIT_MS, nextTimerAt, START_GIVEN_UP_MS, START_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { NEW_MARKET_WORK } from "../../src/domain/job/schema.ts";
import { feeOf } from "../../src/domain/market/ledger.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  decided,
  draft,
  effectsOf,
  facts,
  ID,
  led,
  opened,
  resultRead,
  run,
  runChanged,
  settings,
  step,
  T0,
  TO_PULL_REQUEST,
  work,
} from "./job-fixtures.ts";

const inReview = () => led(begin(), ...TO_PULL_REQUEST);
const working = () => led(begin(), briefPushed(), runChanged());
const failedTwice = () =>
  led(
    begin(),
    briefPushed(),
    runChanged(),
    runChanged({ status: "completed", conclusion: "cancelled" }),
    briefPushed(1, 2, "brief2"),
    runChanged({ id: 501 }, "brief2"),
    runChanged({ id: 501, status: "completed", conclusion: "cancelled" }, "brief2"),
  );

describe("a job from a comment to a merge", () => {
  it("pushes the brief and shows its comment when it is created", () => {
    const created = decide(null, { type: "create", draft: draft() }, { now: T0, available_cents: 0 });
    expect(effectsOf(created)).toEqual(["push-brief", "sync-comment"]);
    expect(decided(created).job).toMatchObject({ status: "queued", branch: `job/${ID}`, attempt_count: 0 });
  });

  it("is accepted when its run is in progress, with a deadline", () => {
    const job = led(begin(), briefPushed(), runChanged({ status: "queued" }));
    expect(job.status).toBe("queued");
    const accepted = led(job, runChanged());
    expect(accepted).toMatchObject({ status: "accepted", attempt_count: 1 });
    expect(accepted.deadline_at).toBe(accepted.updated_at + accepted.time_limit_seconds * 1000);
  });

  it("has the minutes of its set-up commands beside its own, and a quarter of an hour for the rest", () => {
    const limitWith = (container: RepositorySettings["container"]) => {
      const pushed = { ...briefPushed(), settings: { ...settings(), container } } as Command;
      return led(begin(), pushed).time_limit_seconds;
    };
    const { minutes } = settings().limits;
    expect(limitWith(undefined)).toBe((minutes + 15) * 60);
    expect(limitWith({ image: "debian:12", setup: [], setup_minutes: 20 })).toBe((minutes + 35) * 60);
  });

  it("writes no check on its brief while a comment tells of it, and none but that without a comment", () => {
    const begun = step(led(begin(), briefPushed()), runChanged());
    expect(effectsOf(begun)).toEqual([]);
    const origin = { kind: "rest", dialect: "create-job", key_id: "k" } as const;
    const over_rest = led(begin({ origin }), briefPushed());
    expect(effectsOf(step(begin({ origin }), briefPushed()))).toEqual([]);
    expect(effectsOf(step(over_rest, runChanged()))).toEqual(["sync-check"]);
  });

  it("accepts and ends in one step when the start of its run was never told", () => {
    const ended = step(led(begin(), briefPushed()), runChanged({ status: "completed", conclusion: "success" }));
    expect(decided(ended).job.status).toBe("accepted");
    expect(decided(ended).history.map((row) => row.event)).toEqual(["accepted"]);
    expect(effectsOf(ended)).toContain("read-result");
  });

  it("knows its run by the brief's commit, also when the outcome of the push comes after the run", () => {
    expect(led(begin(), runChanged()).status).toBe("queued");
    expect(led(begin(), runChanged(), briefPushed()).status).toBe("accepted");
  });

  it("ignores the skipped run of a commit that is not a brief", () => {
    const skipped = {
      type: "run-changed",
      run: run({ id: 9, status: "completed", conclusion: "skipped" }),
      head_sha: "x",
      commit_message: "Remove .jobs/abcd1234",
    } as const;
    expect(step(led(begin(), briefPushed()), skipped).kind).toBe("unchanged");
  });

  it("ignores late and doubled news of a run", () => {
    const job = led(begin(), briefPushed(), runChanged());
    expect(step(job, runChanged({ status: "queued" })).kind).toBe("unchanged");
    expect(step(job, runChanged()).kind).toBe("unchanged");
  });

  it("is submitted when files changed, and opens a pull request", () => {
    const ended = led(working(), runChanged({ status: "completed", conclusion: "success" }));
    const submitted = step(ended, resultRead());
    expect(decided(submitted).job.status).toBe("submitted");
    expect(effectsOf(submitted)).toEqual(["open-pull-request"]);
  });

  it.each(["refused", "nothing_to_do"] as const)("is verified without a pull request after %s", (outcome) => {
    const ended = led(working(), runChanged({ status: "completed", conclusion: "success" }));
    const job = led(ended, resultRead({ outcome, changed_files: [] }));
    expect(job).toMatchObject({ status: "verified", pull_request: null, merge: { state: "off" } });
  });

  it("is verified and merged when its checks are green", () => {
    const passed = step(inReview(), { type: "observe", facts: facts() });
    expect(decided(passed).job).toMatchObject({ status: "verified", merge: { state: "merging", sha: "finish" } });
    expect(effectsOf(passed)).toContain("merge");
    const merged = step(decided(passed).job, { type: "merged", pull_request: 8, by: "journeyman[bot]", at: T0 + 99 });
    expect(decided(merged).job.merged_at).toBe(T0 + 99);
    expect(effectsOf(merged)).toEqual(["delete-branch", "sync-comment"]);
  });

  it("leaves a deleted branch to a repository that deletes merged branches itself", () => {
    const passed = led(inReview(), { type: "observe", facts: facts({ deletes_branch_on_merge: true }) });
    expect(effectsOf(step(passed, { type: "merged", pull_request: 8, by: null, at: T0 }))).toEqual(["sync-comment"]);
  });
});

describe("an attempt that fails", () => {
  it("is repaired by a second attempt that is told what failed", () => {
    const red = step(inReview(), {
      type: "observe",
      facts: facts({ checks: [check({ state: "failure", name: "test", summary: "1 test failed" })] }),
    });
    expect(decided(red).job).toMatchObject({ status: "queued", attempt_count: 2, attempt: 2, work: { run: null } });
    expect(decided(red).job.failure).toBe("The check “test” failed.\n1 test failed");
    expect(effectsOf(red)).toContain("push-brief");
  });

  it("fails the job after the second", () => {
    expect(failedTwice()).toMatchObject({ status: "failed", attempt_count: 4, merge: { state: "off" } });
  });

  it("drops late news of the run of an earlier attempt", () => {
    const second = led(
      begin(),
      briefPushed(),
      runChanged(),
      runChanged({ status: "completed", conclusion: "cancelled" }),
    );
    expect(second.status).toBe("queued");
    expect(step(second, runChanged({ attempt: 1, status: "in_progress" })).kind).toBe("unchanged");
  });

  it("fails at once when the repository cannot take a job", () => {
    const refused = step(begin(), {
      type: "brief-refused",
      round: 1,
      attempt: 1,
      sentence: "The repository is empty.",
    });
    expect(decided(refused).job).toMatchObject({ status: "failed", failure: "The repository is empty." });
    expect(effectsOf(refused)).toEqual(["sync-comment"]);
  });

  it.each(PERMANENT_ERRORS)("fails at once after %s, since no other try can work", (permanent_error) => {
    const ended = led(working(), runChanged({ status: "completed", conclusion: "failure" }));
    const reason = "The provider refused the key (401).";
    const over = step(ended, resultRead({ outcome: "failed", reason, permanent_error, changed_files: [] }));
    expect(decided(over).job).toMatchObject({ status: "failed", failure: reason, attempt_count: 2, attempt: 1 });
    expect(effectsOf(over)).not.toContain("push-brief");
    expect(decided(step(decided(over).job, { type: "retry", by: ADA, comment_id: 1 })).job.status).toBe("queued");
  });

  it.each([undefined, null])(
    "is followed by another where an agent says %s of a permanent error",
    (permanent_error) => {
      const ended = led(working(), runChanged({ status: "completed", conclusion: "failure" }));
      const said = resultRead({ outcome: "failed", ...(permanent_error === null ? { permanent_error } : {}) });
      expect(led(ended, said)).toMatchObject({ status: "queued", attempt: 2 });
    },
  );

  it("goes on with a retry, a message, or GitHub's own re-run", () => {
    const failed = failedTwice();
    expect(decided(step(failed, { type: "retry", by: ADA, comment_id: 1 })).job).toMatchObject({
      status: "queued",
      round: 2,
    });
    expect(decided(step(failed, { type: "message", text: "try", by: ADA, comment_id: 2 })).job.round).toBe(2);
    const rerun = step(failed, runChanged({ id: 501, attempt: 2 }, "brief2"));
    expect(decided(rerun).job).toMatchObject({ status: "accepted", round: 2 });
  });
});

describe("cancelling", () => {
  it("takes the branch away while nobody works on it", () => {
    const cancelled = step(led(begin(), briefPushed(), runChanged({ status: "queued" })), {
      type: "cancel",
      by: ADA,
    });
    expect(decided(cancelled).job.status).toBe("cancelled");
    expect(effectsOf(cancelled)).toEqual(["cancel-run", "delete-branch", "sync-comment"]);
  });

  it("waits for the end of a run that it cancels", () => {
    const asked = step(working(), { type: "cancel", by: ADA });
    expect(decided(asked).job).toMatchObject({ status: "accepted", cancellation_requested: true });
    expect(effectsOf(asked)).toContain("cancel-run");
    const ended = led(decided(asked).job, runChanged({ status: "completed", conclusion: "cancelled" }));
    expect(ended.status).toBe("cancelled");
  });

  it("never merges what was asked to be cancelled, but verifies it", () => {
    const asked = led(inReview(), { type: "cancel", by: ADA });
    const passed = led(asked, { type: "observe", facts: facts() });
    expect(passed).toMatchObject({ status: "verified", merge: { state: "off" } });
  });

  it("cancels a run that starts after the job was cancelled", () => {
    const cancelled = led(begin(), { type: "cancel", by: ADA });
    expect(effectsOf(step(cancelled, runChanged()))).toEqual(["cancel-run"]);
    expect(effectsOf(step(cancelled, briefPushed()))).toEqual(["delete-branch"]);
  });

  it("means nothing for a job that is over", () => {
    expect(step(failedTwice(), { type: "cancel", by: ADA }).kind).toBe("unchanged");
  });

  it("follows from a deleted branch only while there is no pull request", () => {
    expect(led(working(), { type: "branch-deleted" }).status).toBe("cancelled");
    expect(step(inReview(), { type: "branch-deleted" }).kind).toBe("unchanged");
  });

  it("follows from closing the pull request", () => {
    expect(led(inReview(), { type: "closed", pull_request: 8, by: "ada" }).status).toBe("cancelled");
  });
});

describe("messages", () => {
  it("open a further round on the same branch and pull request", () => {
    const asked = step(inReview(), { type: "message", text: "shout", by: ADA, comment_id: 5 });
    expect(decided(asked).job).toMatchObject({
      status: "queued",
      round: 2,
      attempt_count: 0,
      pull_request: { number: 8 },
    });
    expect(effectsOf(asked).slice(0, 2)).toEqual(["react", "push-brief"]);
  });

  it("wait for the round that is under way", () => {
    const waiting = led(working(), { type: "message", text: "shout", by: ADA, comment_id: 5 });
    expect(waiting.status).toBe("accepted");
    const ended = led(waiting, runChanged({ status: "completed", conclusion: "success" }));
    const next = led(ended, resultRead());
    expect(next).toMatchObject({ status: "queued", round: 2, waiting_messages: [] });
    expect(next.rounds.at(-1)?.asked).toBe("shout");
  });

  it("are taken once, however often their comment is delivered", () => {
    const message = { type: "message", text: "shout", by: ADA, comment_id: 5 } as const;
    expect(step(led(inReview(), message), message).kind).toBe("unchanged");
  });

  it("are refused once the pull request is merged", () => {
    const merged = led(inReview(), { type: "merged", pull_request: 8, by: "ada", at: T0 });
    expect(step(merged, { type: "message", text: "more", by: ADA, comment_id: 6 })).toMatchObject({
      kind: "refused",
      refusal: { code: "already_merged" },
    });
  });
});

describe("time", () => {
  const awaited = begin(draft({ origin: { kind: "rest", dialect: "create-job", key_id: null, awaits_branch: true } }));

  it("takes a job back whose caller waits for a branch that does not come, and its branch if it comes later", () => {
    const at = nextTimerAt(awaited);
    expect(at).toBe(awaited.created_at + BRANCH_LIMIT_MS);
    const taken = step(awaited, { type: "tick" }, at ?? 0);
    expect(decided(taken).job).toMatchObject({ status: "cancelled" });
    expect(effectsOf(taken)).toContain("delete-branch");
    expect(effectsOf(step(decided(taken).job, briefPushed(), (at ?? 0) + 1))).toContain("delete-branch");
  });

  it("takes no job back that has a branch, in a later attempt neither, nor one whose caller does not wait", () => {
    const failed = led(
      awaited,
      briefPushed(),
      runChanged(),
      runChanged({ status: "completed", conclusion: "cancelled" }),
    );
    expect(failed).toMatchObject({ status: "queued", pushed_at: null });
    expect(nextTimerAt(failed)).toBeNull();
    expect(nextTimerAt(begin())).toBeNull();
  });

  it("tells where to look when no run starts, once", () => {
    const job = led(begin(), briefPushed());
    const at = nextTimerAt(job);
    expect(at).toBe(job.updated_at + START_LIMIT_MS);
    const told = decided(step(job, { type: "tick" }, at ?? 0));
    expect(told.job.notice).toContain("No workflow run has started");
    expect(nextTimerAt(told.job)).toBeGreaterThan(at ?? 0);
  });

  it("gives up on a run that has not started in a day", () => {
    const told = decided(step(led(begin(), briefPushed()), { type: "tick" }, T0 + 10 * 60_000)).job;
    const at = nextTimerAt(told);
    expect(at).toBe((told.pushed_at ?? 0) + START_GIVEN_UP_MS);
    expect(decided(step(told, { type: "tick" }, at ?? 0)).job).toMatchObject({ status: "failed" });
  });

  it("fails an attempt at its deadline and cancels its run, once GitHub has said that it still goes on", () => {
    const job = working();
    const late = job.deadline_at ?? 0;
    const asked = step(job, { type: "tick" }, late);
    expect(effectsOf(asked)).toEqual(["read-run"]);
    const fresh = { ...runChanged(), fresh: true } as const;
    const missed = step(decided(asked).job, fresh, late + 1);
    expect(decided(missed).job).toMatchObject({ status: "queued", attempt_count: 2 });
    expect(effectsOf(missed)).toContain("cancel-run");
  });
});

describe("looking", () => {
  it("reads nothing while a known run is open, unless webhooks are in doubt", () => {
    const job = led(inReview(), { type: "ci-run-changed", id: 1, attempt: 1, sha: "finish", complete: false });
    expect(step(job, { type: "look", forced: false }).kind).toBe("unchanged");
    expect(decided(step(job, { type: "look", forced: true })).effects[0]?.effect).toEqual({
      type: "read-facts",
      runs: [1],
    });
    const done = step(job, { type: "ci-run-changed", id: 1, attempt: 1, sha: "finish", complete: true });
    expect(effectsOf(done)).toEqual(["read-facts"]);
  });

  it("judges again when the head is not the one it knows", () => {
    const moved = step(inReview(), { type: "observe", facts: facts({ head_sha: "elsewhere" }) });
    expect(decided(moved).job).toMatchObject({ status: "submitted", head_sha: "elsewhere" });
    expect(effectsOf(moved)).toEqual(["sync-check", "read-facts"]);
  });

  it("stops asking GitHub to merge after a bounded number of refusals", () => {
    let job = led(inReview(), { type: "observe", facts: facts() });
    for (let refusals = 1; refusals < 5; refusals++) {
      job = led(job, { type: "merge-refused", sha: "finish", sentence: "Not now.", final: false });
      expect(job.merge.state).toBe("waiting");
      job = led(job, { type: "observe", facts: facts() });
    }
    job = led(job, { type: "merge-refused", sha: "finish", sentence: "Not now.", final: false });
    expect(job.merge).toEqual({ state: "off", why: "Not now." });
  });

  it("hands over to GitHub's own auto-merge when the branch's rules wait for something", () => {
    const passed = step(inReview(), { type: "observe", facts: facts({ merge_state: "BLOCKED", review: "required" }) });
    expect(decided(passed).job.merge).toMatchObject({ state: "auto" });
    expect(effectsOf(passed)).toContain("enable-auto-merge");
  });

  it("says how to turn auto-merge on where it is off", () => {
    const passed = led(inReview(), { type: "observe", facts: facts({ settings: settings({ enabled: false }) }) });
    expect(passed).toMatchObject({ status: "verified", merge: { state: "off" } });
    expect(passed.merge).toHaveProperty("why", expect.stringContaining(".github/journeyman.yml"));
  });
});

describe("the market's states", () => {
  const market = (price_cents = 500) =>
    begin({ runner: "market", origin: { kind: "rest", dialect: "market", key_id: "k" }, price_cents }, 10_000);
  const pulled = () => led(market(), { type: "pull", agent_id: "a1", account: "bob" });

  it("charges the sender in the commit that creates the job", () => {
    const created = decide(
      null,
      { type: "create", draft: draft({ price_cents: 500 }) },
      { now: T0, available_cents: 500 },
    );
    expect(decided(created).postings).toEqual([
      { account: "user:ada", cents: -500, reason: "charge" },
      { account: `escrow:${ID}`, cents: 500, reason: "charge" },
    ]);
  });

  it("waits for payment when the balance is too small, and is refused until it suffices", () => {
    const job = begin({ price_cents: 500 }, 499);
    expect(job.status).toBe("pending_payment");
    expect(step(job, { type: "pay", account: "ada" }, T0, 499)).toMatchObject({
      refusal: { code: "insufficient_balance" },
    });
    expect(decided(step(job, { type: "pay", account: "ada" }, T0, 500)).job.status).toBe("queued");
    expect(step(market(), { type: "pay", account: "ada" })).toMatchObject({ refusal: { code: "wrong_status" } });
  });

  it("holds a pulled job for thirty seconds, exact at read time", () => {
    const held = pulled();
    const end = held.updated_at + 30_000;
    expect(step(held, { type: "accept", agent_id: "a1" }, end - 1).kind).toBe("decided");
    expect(step(held, { type: "accept", agent_id: "a1" }, end)).toMatchObject({ refusal: { code: "hold_expired" } });
    expect(step(held, { type: "pull", agent_id: "a2", account: "eve" }, end - 1)).toMatchObject({ kind: "refused" });
    expect(decided(step(held, { type: "pull", agent_id: "a2", account: "eve" }, end)).job.work).toMatchObject({
      presented_to_agents: ["a1", "a2"],
    });
  });

  it("answers an accept that is repeated by the same holder, and refuses another's", () => {
    const accepted = led(pulled(), { type: "accept", agent_id: "a1" });
    expect(step(accepted, { type: "accept", agent_id: "a1" }).kind).toBe("unchanged");
    expect(step(accepted, { type: "accept", agent_id: "a2" }).kind).toBe("refused");
  });

  it("refuses work after the deadline", () => {
    const accepted = led(pulled(), { type: "accept", agent_id: "a1" });
    const submit = { type: "submit", agent_id: "a1", result: work() } as const;
    expect(step(accepted, submit, (accepted.deadline_at ?? 0) + 1)).toMatchObject({
      refusal: { code: "deadline_passed" },
    });
    expect(step(accepted, submit, (accepted.deadline_at ?? 0) - 1).kind).toBe("decided");
  });

  it("takes twenty percent rounded half up and fifty cents, never more than the price", () => {
    expect([100, 102, 103, 500, 100_000].map(feeOf)).toEqual([70, 70, 71, 150, 20_050]);
    expect(feeOf(50)).toBe(50);
  });

  it("is done with what came with it when it is over: no further round can have it", () => {
    const sent = { parcel: "p", attachments: [], has_env_vars: true };
    const given: Job = { ...market(), work: { ...NEW_MARKET_WORK, enclosure: sent } };
    expect(blobsOf(given)).toEqual(["p"]);
    const failed: Job = { ...given, status: "failed" };
    expect(blobsOf(failed)).toEqual([]);
    const retry = { type: "retry", by: ADA, comment_id: null } as const;
    expect(step(failed, retry, failed.updated_at, 9_000)).toMatchObject({ refusal: { code: "wrong_status" } });
    expect(step({ ...failed, work: NEW_MARKET_WORK }, retry, failed.updated_at, 9_000).kind).toBe("decided");
  });

  it("keeps what was handed in until it is paid for or lost, and attachments that were paid for until it is archived", () => {
    const attachments = [{ name: "a", type: "text/plain", size: 1 }];
    const submission = { parcel: "d", files: [], attachments, pull_request: null };
    const handed = (change: Partial<typeof submission> = {}) => ({
      work: { ...NEW_MARKET_WORK, delivery: { ...submission, ...change } },
    });
    const at = (status: Job["status"], more: Partial<Job> = {}) =>
      blobsOf({ ...market(), status, ...handed(), ...more });
    expect([at("submitted"), at("verified"), at("failed"), at("cancelled")]).toEqual([["d"], ["d"], [], []]);
    expect(at("verified", { archived_at: 1 })).toEqual([]);
    expect(at("verified", handed({ attachments: [] }))).toEqual([]);
  });

  it("gives the escrow back after the second attempt has failed", () => {
    let job = pulled();
    for (const agent_id of ["a1", "a2"]) {
      if (job.status === "queued") job = led(job, { type: "pull", agent_id, account: "bob" });
      job = led(job, { type: "accept", agent_id });
      const failed = step(job, { type: "fail", agent_id, reason: "no" });
      job = decided(failed).job;
      if (agent_id === "a2")
        expect(decided(failed).postings).toContainEqual({ account: "user:ada", cents: 500, reason: "refund" });
    }
    expect(job.status).toBe("failed");
  });
});

describe("refusals say what to do next", () => {
  it.each([
    [{ type: "retry", by: ADA, comment_id: null }, "only a failed job can be retried"],
    [{ type: "archive" }, "cancel it or wait"],
    [{ type: "pull", agent_id: "a", account: "b" }, "not on the market"],
  ] as const)("%o", (command, words) => {
    const answer = step(begin(), command);
    expect(answer.kind === "refused" && answer.refusal.sentence).toContain(words);
  });

  it("knows no job before it is created", () => {
    expect(decide(null, opened(), { now: T0, available_cents: 0 })).toMatchObject({ refusal: { code: "not_found" } });
  });
});
