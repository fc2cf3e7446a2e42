/** What follows where a pull request conflicts with its base branch, or is behind it. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Facts } from "../../src/domain/job/facts.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { evaluate } from "../../src/domain/job/merge-verdict.ts";
import { MOST_CONFLICT_ROUNDS, MOST_UPDATES } from "../../src/domain/job/rules/catch-up.ts";
import { lineOf, TURN_LIMIT_MS } from "../../src/domain/job/turns.ts";
import {
  ADA,
  begin,
  briefPushed,
  decided,
  effectsOf,
  facts,
  jobId,
  led,
  onMarket,
  opened,
  resultRead,
  runChanged,
  settings,
  step,
  T0,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const observe = (change: Partial<Facts> = {}): Command => ({ type: "observe", facts: facts(change) });
const CONFLICT = observe({ mergeable: "conflict" });
const BEHIND = observe({ merge_state: "BEHIND" });
const TURN: Command = { type: "turn", after: null };

const submitted = led(begin(), ...TO_PULL_REQUEST);
const inLine = led(submitted, CONFLICT);
const resolving = led(inLine, TURN, CONFLICT);

/** The run of the conflict round, up to its end. */
const ran = (job: Job, conclusion: "success" | "failure", change: Parameters<typeof resultRead>[0] = {}): Job => {
  const { round, attempt } = job;
  const sha = `brief-${round}`;
  const run = { id: 500 + round };
  return led(
    job,
    briefPushed(round, attempt, sha),
    runChanged(run, sha),
    runChanged({ ...run, status: "completed", conclusion }, sha),
    resultRead(change, round, attempt),
  );
};
const lookedAt = (job: Job, change: Partial<Facts>): Job => led(job, opened(job.round), observe(change));
const failedOnce = lookedAt(ran(resolving, "failure", { outcome: "failed", reason: "Unresolved." }), {
  mergeable: "conflict",
});

describe("a conflict", () => {
  it("is named at once, and stands in line before anything is done", () => {
    expect(inLine).toMatchObject({ status: "verified", catch_up: { conflicts: true, turn: { need: "conflict" } } });
    expect(inLine.reasons.at(-1)?.text).toBe("it conflicts with the base branch");
    const asked = decided(step(submitted, CONFLICT)).effects.map(({ effect }) => effect.type);
    expect(asked).not.toContain("push-brief");
    expect(asked).toContain("sync-comment");
  });

  it("is named while checks go on, too", () => {
    const { merge } = evaluate(facts({ mergeable: "conflict", open_runs: [9] }), submitted, T0);
    expect(merge.text).toBe("it conflicts with the base branch");
  });

  it("is looked at again when the turn comes, and then a round of its own is begun on the branch", () => {
    expect(effectsOf(step(inLine, TURN))).toEqual(["read-facts"]);
    expect(resolving).toMatchObject({ status: "queued", round: 2, catch_up: { resolving: true, rounds: 1 } });
    expect(resolving.rounds.at(-1)).toMatchObject({ by: null });
    expect(resolving.rounds.at(-1)?.asked).toMatch(/conflicts with main/);
  });

  it("that is gone by then needs no round", () => {
    const gone = led(inLine, TURN, observe());
    expect(gone).toMatchObject({ round: 1, merge: { state: "merging" }, catch_up: { conflicts: false } });
  });

  it("says once for whom it waits, and again only when that is another", () => {
    const told = decided(step(inLine, { type: "turn", after: 12 }));
    expect(told.effects.map(({ effect }) => effect.type)).toEqual(["sync-comment"]);
    expect(step(told.job, { type: "turn", after: 12 })).toEqual({ kind: "unchanged" });
    expect(decided(step(told.job, { type: "turn", after: 11 })).job.catch_up.turn?.after).toBe(11);
  });

  it("that was resolved is judged anew, and merged in the turn", () => {
    const good = ran(resolving, "success");
    expect(good).toMatchObject({ status: "submitted", catch_up: { turn: { need: "conflict" } } });
    expect(lookedAt(good, {})).toMatchObject({
      merge: { state: "merging" },
      catch_up: { resolving: false, failures: 0 },
    });
  });

  it("costs the job no attempt where its round fails: the pull request is shown as it is and another round follows", () => {
    const failed = ran(resolving, "failure", { outcome: "failed", reason: "Unresolved." });
    expect(failed).toMatchObject({ status: "submitted", failure: null });
    expect(failedOnce).toMatchObject({ status: "queued", round: 3, catch_up: { failures: 1, resolving: true } });
  });

  it("is left to a person after two rounds that failed by themselves, and the next in line goes on", () => {
    const twice = lookedAt(ran(failedOnce, "failure", { outcome: "failed" }), { mergeable: "conflict" });
    expect(twice).toMatchObject({ round: 3, catch_up: { failures: 2, turn: null } });
    const told = led(twice, CONFLICT);
    expect(told.reasons.at(-1)?.text).toMatch(/two rounds to resolve them failed, so resolve them on job\/abcd1234/);
    expect(told).toMatchObject({ round: 3, catch_up: { turn: null } });
  });

  it("that is resolved by a person afterwards merges", () => {
    const twice = led(lookedAt(ran(failedOnce, "failure", { outcome: "failed" }), { mergeable: "conflict" }), CONFLICT);
    const moved = led(twice, observe({ head_sha: "theirs" }));
    expect(led(moved, observe({ head_sha: "theirs" }))).toMatchObject({ merge: { state: "merging" } });
  });

  it("whose round failed on a base that has moved meanwhile counts for nothing", () => {
    const failed = ran(resolving, "failure", { outcome: "failed" });
    const again = lookedAt(failed, { mergeable: "conflict", base_sha: "newer" });
    expect(again).toMatchObject({ round: 3, catch_up: { failures: 0, resolving: true } });
  });

  it("that comes back with every move of the base is left to a person after a few rounds", () => {
    let job = resolving;
    for (let rounds = 1; rounds < MOST_CONFLICT_ROUNDS; rounds += 1)
      job = lookedAt(ran(job, "success"), { mergeable: "conflict", base_sha: `moved ${rounds}` });
    expect(job.catch_up).toMatchObject({ rounds: MOST_CONFLICT_ROUNDS, failures: 0 });
    const left = lookedAt(ran(job, "success"), { mergeable: "conflict", base_sha: "moved" });
    expect(left.catch_up.stuck).toMatch(/resolved 5 times and main has moved each time/);
  });

  it("that nobody touched in a round that claims to be done counts as failed", () => {
    const same = lookedAt(ran(resolving, "success"), { mergeable: "conflict" });
    expect(same.catch_up).toMatchObject({ failures: 1 });
  });

  it.each([
    [
      "its push is refused for a workflow file",
      {
        reason:
          "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission",
      },
      /has changed workflow files/,
    ],
    ["no other attempt could do better", { permanent_error: "no_credit" }, /the round to resolve them failed/],
  ] as const)("is left to a person at once where %s", (_, change, sentence) => {
    const failed = ran(resolving, "failure", { outcome: "failed", ...change });
    expect(failed.catch_up).toMatchObject({ failures: 0, turn: null, stuck: expect.stringMatching(sentence) });
    expect(lookedAt(failed, { mergeable: "conflict" }).round).toBe(2);
  });

  it("is only said of work that is not merged by itself, and of the market's", () => {
    const drafted = { mergeable: "conflict", draft: true } as const;
    const off = { mergeable: "conflict", settings: settings({ enabled: false }) } as const;
    for (const change of [drafted, off]) expect(evaluate(facts(change), submitted, T0).needs).toBeNull();
    const kept = led(
      begin({ choices: { provider: null, model: null, no_merge: true, draft: false } }),
      ...TO_PULL_REQUEST,
    );
    const { work } = evaluate(facts({ mergeable: "conflict", checks: [] }), kept, T0);
    expect(work.text).toBe("it conflicts with the base branch; resolve the conflicts");
    expect(evaluate(facts({ mergeable: "conflict" }), onMarket(), T0).needs).toBeNull();
    expect(led(kept, observe({ mergeable: "conflict" })).merge).toEqual({
      state: "off",
      why: "it was asked for with --no-merge; and it conflicts with the base branch",
    });
  });

  it("in line gives way to what a person asks for, which has the base merged as well", () => {
    const asked = led(inLine, { type: "message", text: "add a test", by: ADA, comment_id: null });
    expect(asked.catch_up).toMatchObject({ conflicts: true, turn: null, resolving: false, rounds: 0 });
  });

  it("that GitHub has not computed yet is asked for again, a few times", () => {
    const unknown = observe({ mergeable: "unknown", checks: [] });
    let job = submitted;
    let asked = 0;
    for (let look = 0; look < 10; look += 1) {
      const next = decided(step(job, unknown, job.updated_at + 30_000));
      asked += next.effects.filter(({ effect }) => effect.type === "read-facts").length;
      job = next.job;
    }
    expect(asked).toBe(5);
  });

  it("in which the run of a round is cancelled with the job cancels it", () => {
    const running = led(resolving, briefPushed(2, 1, "brief-2"), runChanged({ id: 502 }, "brief-2"), {
      type: "cancel",
      by: ADA,
    });
    const over = led(running, runChanged({ id: 502, status: "completed", conclusion: "cancelled" }, "brief-2"));
    expect(over.status).toBe("cancelled");
  });
});

describe("a pull request behind its base", () => {
  const turn = led(submitted, BEHIND, TURN);
  const updating = led(turn, BEHIND);

  it("is updated by GitHub at its head when its turn comes, with no round and one question at a time", () => {
    expect(decided(step(turn, BEHIND)).effects.map(({ effect }) => effect)).toContainEqual({
      type: "update-branch",
      sha: "finish",
    });
    expect(updating).toMatchObject({ round: 1, catch_up: { updates: 1, updating: { sha: "finish" } } });
    expect(effectsOf(step(updating, BEHIND))).not.toContain("update-branch");
  });

  it("is judged anew at the new head", () => {
    const moved = led(updating, observe({ head_sha: "merged" }));
    expect(moved.catch_up).toMatchObject({ updating: null, turn: { need: "update" } });
    expect(led(moved, observe({ head_sha: "merged" }))).toMatchObject({ merge: { state: "merging" } });
  });

  it("is updated a few times and then left to a person, who is told why", () => {
    let job = turn;
    for (let updates = 0; updates < MOST_UPDATES; updates += 1) {
      job = led(job, observe({ merge_state: "BEHIND", head_sha: job.head_sha ?? "" }));
      const head_sha = `head ${updates}`;
      job = led(job, observe({ head_sha }), observe({ head_sha, mergeable: "unknown" }));
    }
    const behind = observe({ merge_state: "BEHIND", head_sha: job.head_sha ?? "" });
    const stuck = led(job, behind, behind);
    expect(stuck.reasons.at(-1)?.text).toMatch(/main has moved 5 times while this was done; press “Update branch”/);
    expect(stuck.catch_up.turn).toBeNull();
  });

  it("that GitHub does not update for a workflow file loses no attempt, waits, and is judged once a person has pressed", () => {
    const sentence = "the base branch has changed workflow files, which the App may not push; press “Update branch”";
    const refused = led(updating, { type: "update-refused", sha: "finish", sentence }, BEHIND);
    expect(refused).toMatchObject({ round: 1, attempt: 1, attempt_count: 1, catch_up: { turn: null } });
    expect(refused.reasons.at(-1)?.text).toBe(`the base branch must be merged into it first; ${sentence}`);
    const pressed = led(refused, observe({ head_sha: "theirs" }), observe({ head_sha: "theirs" }));
    expect(pressed).toMatchObject({ merge: { state: "merging" } });
  });

  it("whose head has moved meanwhile is looked at again", () => {
    const moved = step(updating, { type: "update-refused", sha: "finish", sentence: null });
    expect(effectsOf(moved)).toEqual(["read-facts"]);
    expect(decided(moved).job.catch_up).toMatchObject({ updating: null, stuck: null });
  });

  it("is left alone while a review is missing", () => {
    expect(evaluate(facts({ merge_state: "BEHIND", review: "required" }), submitted, T0).needs).toBeNull();
  });
});

describe("the line of one base branch", () => {
  const waits = (id: string, submitted_at: number): Job => ({ ...inLine, id: jobId(id), submitted_at });
  const holds = (id: string, taken_at: number): Job => ({
    ...inLine,
    id: jobId(id),
    catch_up: { ...inLine.catch_up, turn: { need: "conflict", taken_at, after: null } },
  });
  const ids = (jobs: readonly Job[], now = T0) => lineOf(jobs, now).map(({ id }) => id);

  it("begins with whoever has the turn; then comes who was submitted first", () => {
    expect(ids([waits("bbbbbbbb", 2), waits("aaaaaaaa", 3), holds("cccccccc", T0), waits("dddddddd", 2)])).toEqual([
      ...["cccccccc", "bbbbbbbb", "dddddddd", "aaaaaaaa"],
    ]);
  });

  it("waits for nobody whose checks do not end, nor for who is not merged any more", () => {
    const off: Job = { ...holds("eeeeeeee", T0), merge: { state: "off", why: "it was discarded" } };
    expect(ids([holds("cccccccc", T0), off, waits("aaaaaaaa", 1)], T0 + TURN_LIMIT_MS)).toEqual(["aaaaaaaa"]);
  });

  it("is left when a review asks for changes", () => {
    const holder = led(inLine, TURN, observe({ mergeable: "unknown" }));
    expect(holder.catch_up.turn?.taken_at).not.toBeNull();
    expect(led(holder, observe({ review: "changes_requested" })).catch_up.turn).toBeNull();
  });
});

describe("a base branch", () => {
  const deleted: Command = { type: "base-deleted", branch: "main" };

  it("that is deleted is said, also where the pull request's end was told first", () => {
    expect(led(submitted, deleted).notice).toMatch(
      /^Its base branch main was deleted\. GitHub closes its pull request/,
    );
    const closed = led(submitted, { type: "closed", pull_request: 8, by: "ada" });
    expect(led(closed, deleted)).toMatchObject({ status: "cancelled", notice: expect.stringContaining("was deleted") });
    expect(decide(closed, deleted, { now: closed.updated_at + 3_600_000, available_cents: 0 })).toEqual({
      kind: "unchanged",
    });
  });

  it("in whose place GitHub has put another is said, and nothing merges into that", () => {
    const { merge } = evaluate(facts({ base: "trunk", base_deleted: true }), submitted, T0);
    expect(merge).toMatchObject({ never: true });
    expect(merge.text).toMatch(/^main was deleted and GitHub has made trunk its base/);
  });

  it("that has another name is followed, so that its pushes are heard", () => {
    expect(led(submitted, observe({ base: "trunk", base_renamed: true })).base.branch).toBe("trunk");
  });
});
