import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { Effect } from "../../src/domain/job/effect.ts";
import { actionsWork, type Job } from "../../src/domain/job/job.ts";
import { CI_BEGINS_MS, evaluate } from "../../src/domain/job/merge-verdict.ts";
import { nextTimerAt } from "../../src/domain/job/next-timer.ts";
import { isWanted, waitsFor } from "../../src/domain/job/wanted-effects.ts";
import { pullRequestBody } from "../../src/github/render/pull-request.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  decided,
  effectsOf,
  facts,
  ID,
  led,
  opened,
  resultRead,
  runChanged,
  settings,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const inReview = () => led(begin(), ...TO_PULL_REQUEST);
const working = () => led(begin(), briefPushed(), runChanged());
const observed = (change: Parameters<typeof facts>[0] = {}): Command => ({ type: "observe", facts: facts(change) });
const ciRun = (id: number, complete: boolean, sha = "finish"): Command => ({
  type: "ci-run-changed",
  id,
  attempt: 1,
  sha,
  complete,
});
/** Verified, with GitHub's own auto-merge on. */
const leftToGitHub = () => led(inReview(), observed({ merge_state: "BLOCKED", review: "required" }));
const DISABLE: Effect = { type: "disable-auto-merge" };

describe("what looks green and is not", () => {
  it("is a commit with a run that a webhook told of and this reading says nothing about", () => {
    const job = led(inReview(), ciRun(1, false));
    expect(step(job, observed())).toMatchObject({ job: { status: "submitted", merge: { state: "waiting" } } });
    expect(decided(step(job, observed({ complete_runs: [1] }))).job.merge.state).toBe("merging");
  });

  it("is a reading that takes a run for complete because it did not ask", () => {
    const read = led(led(inReview(), ciRun(1, false)), observed({ checks: [check({ state: "pending" })] }));
    expect(read.ci_runs).toMatchObject([{ id: 1, complete: false }]);
  });

  it("is the first quick check while CI has yet to begin, and it is looked at again", () => {
    const job = inReview();
    const early = step(job, observed({ ci_begun: false }));
    expect(decided(early).job).toMatchObject({ status: "submitted", merge: { state: "waiting" } });
    expect(decided(early).effects).toContainEqual({
      effect: { type: "read-facts", runs: [] },
      urgency: "now",
      not_before: (job.head_seen_at ?? 0) + CI_BEGINS_MS,
    });
    const later = step(job, observed({ ci_begun: false }), (job.head_seen_at ?? 0) + CI_BEGINS_MS);
    expect(decided(later).job.merge.state).toBe("merging");
  });

  it("is a pull request that nothing has checked yet, where none has to: CI may still begin", () => {
    const unchecked = { checks: [], ci_begun: false, settings: settings({ require_checks: false }) };
    const job = inReview();
    expect(decided(step(job, observed(unchecked))).job.status).toBe("submitted");
    const looks = (decision: ReturnType<typeof step>): number[] =>
      decided(decision)
        .effects.filter((wanted) => wanted.effect.type === "read-facts")
        .map((wanted) => wanted.not_before - (job.head_seen_at ?? 0));
    const open = step(led(begin(), ...TO_PULL_REQUEST.slice(0, -1)), TO_PULL_REQUEST.at(-1) as Command);
    expect(looks(open)).toEqual([5_000]);
    expect(looks(step(job, observed(unchecked), (job.head_seen_at ?? 0) + 5_000))).toEqual([CI_BEGINS_MS]);
  });

  it("is looked at when CI that is known to run is over, and after a minute all the same", () => {
    const looks = (decision: ReturnType<typeof step>): number[] =>
      decision.kind === "unchanged"
        ? []
        : decided(decision)
            .effects.filter((wanted) => wanted.effect.type === "read-facts")
            .map((wanted) => wanted.not_before - at);
    const job = inReview();
    const at = job.head_seen_at ?? 0;
    const begun = led(led(begin(), ...TO_PULL_REQUEST.slice(0, -1)), ciRun(1, false));
    expect(looks(step(begun, TO_PULL_REQUEST.at(-1) as Command, at))).toEqual([60_000]);
    expect(looks(step(job, ciRun(1, false), at + 4_000))).toEqual([60_000]);
    expect(looks(step(led(job, ciRun(1, false)), ciRun(1, true), at + 12_000))).toEqual([12_500]);
    // what the first look has asked for since is not put off
    expect(looks(step(job, ciRun(1, false), at + 5_000))).toEqual([]);
    expect(looks(step(job, ciRun(1, false, "older"), at + 4_000))).toEqual([]);
  });

  it.each([
    ["a conflict", { mergeable: "conflict", checks: [] }],
    ["a required check that nobody makes", { required: [{ name: "e2e", app_id: null }] }],
  ] as const)("is %s, which the comment says at once, whenever it was last written", (_what, change) => {
    const job = inReview();
    const now = (job.head_seen_at ?? 0) + 5_000;
    const told = decided(step({ ...job, comment: { id: 1 } }, observed({ ci_begun: false, ...change }), now));
    const said = told.effects.filter(({ effect }) => effect.type === "sync-comment" || effect.type === "sync-check");
    expect(said.map(({ urgency, not_before }) => [urgency, not_before])).toEqual([
      ["now", now],
      ["now", now],
    ]);
  });

  it("is a base that moved, which may conflict now: what waits in that repository is looked at", () => {
    expect(effectsOf(step(inReview(), { type: "look", forced: false }))).toEqual(["read-facts"]);
  });

  it("is a head that still carries the job's own folder", () => {
    const early = step(inReview(), observed({ changed_files: [`.jobs/${ID}/job.md`, "HELLO.md"] }));
    expect(decided(early).job).toMatchObject({ status: "submitted" });
    expect(effectsOf(early)).not.toContain("merge");
  });

  it("is a pull request that is for another branch by now", () => {
    const job = led(inReview(), observed({ base: "release" }));
    expect(job).toMatchObject({ status: "verified", merge: { state: "off" } });
    expect(job.merge).toHaveProperty("why", expect.stringContaining("release"));
  });

  it("is a clean state while a review is required, which GitHub tells those who may bypass it", () => {
    expect(evaluate(facts({ review: "required" }), inReview(), 0).merge.how).toBe("auto");
    expect(evaluate(facts({ review: "required", auto_merge_allowed: false }), inReview(), 0).merge.how).toBe("none");
  });
});

describe("GitHub's own auto-merge is taken back", () => {
  const takenBack = (change: Parameters<typeof facts>[0]) => {
    const decision = step(leftToGitHub(), observed({ merge_state: "BLOCKED", auto_merge_enabled: true, ...change }));
    expect(effectsOf(decision)).toContain("disable-auto-merge");
    return decided(decision).job;
  };

  it("when somebody pushes what nobody has judged", () => {
    expect(takenBack({ head_sha: "pushed" })).toMatchObject({ head_sha: "pushed", merge: { state: "waiting" } });
  });

  it("when a check turns red that the branch's rules do not ask for", () => {
    expect(takenBack({ checks: [check({ state: "failure" })] }).merge.state).toBe("waiting");
  });

  it("when the settings or the files forbid it", () => {
    expect(takenBack({ settings: settings({ enabled: false }) }).merge.state).toBe("off");
    expect(takenBack({ changed_files: [".github/CODEOWNERS"] }).merge.state).toBe("off");
  });

  it("when a review asks for changes", () => {
    expect(takenBack({ review: "changes_requested" }).merge.state).toBe("waiting");
  });

  it("when it could not be enabled for sure", () => {
    const job = leftToGitHub();
    const effect: Effect = { type: "enable-auto-merge", sha: "finish", method: "squash" };
    expect(effectsOf(step(job, { type: "effect-abandoned", effect, sentence: "Given up." }))).toContain(
      "disable-auto-merge",
    );
  });

  it("and stays while its rules alone are waited for", () => {
    const still = step(leftToGitHub(), observed({ merge_state: "BLOCKED", auto_merge_enabled: true }));
    expect(effectsOf(still)).not.toContain("disable-auto-merge");
    expect(decided(still).job.merge.state).toBe("auto");
  });

  it("before the brief of a further round is pushed, and not once it is wanted again", () => {
    const asked = step(leftToGitHub(), { type: "message", text: "more", by: ADA, comment_id: 9 });
    const effects = decided(asked).effects.map((wanted) => wanted.effect);
    const brief = effects.find((effect) => effect.type === "push-brief");
    if (brief === undefined) throw new Error("no brief is pushed");
    expect(waitsFor(brief, effects)).toBe(true);
    expect(waitsFor(DISABLE, effects)).toBe(false);
    expect(isWanted(DISABLE, decided(asked).job)).toBe(true);
    expect(isWanted(DISABLE, leftToGitHub())).toBe(false);
  });
});

describe("a person who turns auto-merge off", () => {
  it("is not overruled", () => {
    const off = led(leftToGitHub(), { type: "auto-merge-disabled", by: "ada" });
    expect(off.merge).toMatchObject({ state: "off", why: expect.stringContaining("ada") });
    expect(step(off, { type: "look", forced: false }).kind).toBe("unchanged");
  });

  it("is nobody where GitHub did it since the pull request has another base: it is looked at again", () => {
    const { base } = leftToGitHub();
    const moved = step(leftToGitHub(), { type: "auto-merge-disabled", by: "ada", base: "another" });
    expect(decided(moved).job.merge).toMatchObject({ state: "waiting" });
    expect(effectsOf(moved)).toEqual(["read-facts"]);
    const off = led(leftToGitHub(), { type: "auto-merge-disabled", by: "ada", base: base.branch ?? "" });
    expect(off.merge).toMatchObject({ state: "off" });
  });

  it("means nothing to a job that does not rely on it", () => {
    expect(step(inReview(), { type: "auto-merge-disabled", by: "ada" }).kind).toBe("unchanged");
  });
});

describe("the deadline", () => {
  const late = (job: Job) => job.deadline_at ?? 0;

  it("is kept by a wake-up in its very millisecond", () => {
    const market = led(
      begin({ runner: "market", origin: { kind: "rest", dialect: "market", key_id: null } }),
      { type: "pull", agent_id: "a1", account: "bob" },
      { type: "accept", agent_id: "a1" },
    );
    expect(decided(step(market, { type: "tick" }, late(market))).job.status).toBe("queued");
  });

  it("does not throw away work whose end nobody reported: GitHub is asked first", () => {
    const job = decided(step(working(), { type: "tick" }, late(working()) + 1)).job;
    expect(job.status).toBe("accepted");
    const over = { ...runChanged({ status: "completed", conclusion: "success" }), fresh: true } as const;
    expect(effectsOf(step(job, over, late(job) + 5_000))).toEqual(["read-result"]);
  });

  it("is not kept by an event that is as old as the run's start", () => {
    expect(step(working(), runChanged(), late(working()) + 1).kind).toBe("unchanged");
  });

  it("is over for a run that has ended and whose result is being read", () => {
    const ended = led(working(), runChanged({ status: "completed", conclusion: "success" }));
    expect(nextTimerAt(ended)).toBeNull();
    expect(step(ended, { type: "tick" }, late(ended) + 1).kind).toBe("unchanged");
  });

  it("ends an attempt whose run was deleted", () => {
    const gone = { ...runChanged({ status: "completed", conclusion: "gone" }), fresh: true } as const;
    expect(led(working(), gone)).toMatchObject({ status: "queued", failure: "The workflow run was deleted." });
  });
});

describe("a run that is begun again on GitHub", () => {
  it("has its end read, not the end before", () => {
    const ended = led(working(), runChanged({ status: "completed", conclusion: "failure" }));
    const again = led(ended, runChanged({ attempt: 2 }));
    const read: Effect = { type: "read-result", round: 1, attempt: 1 };
    expect(isWanted(read, ended)).toBe(true);
    expect(isWanted(read, again)).toBe(false);
    const over = step(again, runChanged({ attempt: 2, status: "completed", conclusion: "success" }));
    expect(effectsOf(over)).toEqual(["read-result"]);
  });

  it("is cancelled while the work of its first end is in review", () => {
    const again = step(inReview(), runChanged({ attempt: 2 }));
    expect(effectsOf(again)).toEqual(["cancel-run"]);
    expect(decided(again).job.status).toBe("submitted");
  });
});

describe("a cancel", () => {
  it("takes back the messages that were waiting, so that nothing begins again", () => {
    const waiting = led(working(), { type: "message", text: "more", by: ADA, comment_id: 5 });
    const asked = led(waiting, { type: "cancel", by: ADA });
    const ended = led(asked, runChanged({ status: "completed", conclusion: "success" }));
    expect(led(ended, resultRead())).toMatchObject({ status: "submitted", round: 1, cancellation_requested: true });
  });

  it("is said to whoever sends a message meanwhile", () => {
    const asked = led(working(), { type: "cancel", by: ADA });
    expect(step(asked, { type: "message", text: "more", by: ADA, comment_id: 5 })).toMatchObject({
      kind: "refused",
      refusal: { sentence: expect.stringContaining("being cancelled") },
    });
  });
});

it("keeps words that stop workflows, and authors, out of what a squash makes a commit message of", () => {
  const body = "Done. [skip ci]\n\nskip-checks: true\nCo-authored-by: eve <eve@x>\n";
  const text = pullRequestBody(led(begin(), ...TO_PULL_REQUEST.slice(0, -2), resultRead({ body }), opened()), true);
  expect(text).toContain("Done.");
  expect(text).not.toMatch(/skip ci|skip-checks|eve/);
});

describe("facts", () => {
  it("are not read while the agent works on the pull request's next round", () => {
    const next = led(inReview(), { type: "message", text: "more", by: ADA, comment_id: 5 });
    expect(isWanted({ type: "read-facts", runs: [] }, next)).toBe(false);
  });
});

describe("a further round that changes nothing", () => {
  const asking = () =>
    led(
      inReview(),
      { type: "message", text: "which colour?", by: ADA, comment_id: 5 },
      briefPushed(2, 1, "brief2"),
      runChanged({ id: 501 }, "brief2"),
      runChanged({ id: 501, status: "completed", conclusion: "success" }, "brief2"),
      resultRead({ outcome: "question", body: "Red or blue?" }, 2, 1),
    );

  it("takes the job's folder off the pull request all the same, and does not merge over a question", () => {
    const asked = asking();
    expect(asked.status).toBe("submitted");
    expect(isWanted({ type: "open-pull-request", round: 2 }, asked)).toBe(true);
    const judged = led(asked, opened(2), observed());
    expect(judged).toMatchObject({ status: "waiting_for_user", merge: { state: "waiting" }, head_sha: "finish" });
    expect(judged.reasons.map(({ verdict, text }) => [verdict, text])).toEqual([
      ["pass", "the only check passed"],
      ["fail", "the agent asks something first"],
    ]);
  });

  it("shows what the agent says", () => {
    expect(statusComment(led(asking(), opened(2), observed()))).toContain("Red or blue?");
  });
});

describe("a run that is reported before the brief's commit is known", () => {
  const failed = () =>
    led(begin(), briefPushed(), runChanged(), runChanged({ status: "completed", conclusion: "cancelled" }));

  it("counts once the push is known to be ours", () => {
    const early = led(failed(), runChanged({ id: 501, status: "queued" }, "next"), runChanged({ id: 501 }, "next"));
    expect(early).toMatchObject({ status: "queued", work: { run: null }, brief_sha: null });
    const known = led(early, briefPushed(1, 2, "next"));
    expect(known).toMatchObject({ status: "accepted", work: { run: { id: 501 }, early_runs: [] }, brief_sha: "next" });
  });

  it("is told whole, where it was over by then", () => {
    const over = runChanged({ id: 501, status: "completed", conclusion: "success" }, "next");
    const known = step(led(failed(), over), briefPushed(1, 2, "next"));
    expect(decided(known).job).toMatchObject({ status: "accepted", work: { run: { id: 501, conclusion: "success" } } });
    expect(effectsOf(known)).toContain("read-result");
  });

  it("never counts when it is of somebody's own push, whatever its message says", () => {
    const theirs = led(failed(), runChanged({ id: 666 }, "theirs"));
    expect(theirs).toMatchObject({ status: "queued", work: { run: null }, head_sha: "brief" });
    const known = led(theirs, runChanged({ id: 501 }, "next"), briefPushed(1, 2, "next"));
    expect(known).toMatchObject({ status: "accepted", work: { run: { id: 501 } } });
    expect(step(known, runChanged({ id: 666, status: "completed" }, "theirs")).kind).toBe("unchanged");
  });

  it("is one of few that are kept", () => {
    const many = Array.from({ length: 9 }, (_, at) => runChanged({ id: 600 + at }, `push ${at}`));
    expect(actionsWork(led(failed(), ...many))?.early_runs).toHaveLength(5);
  });
});
