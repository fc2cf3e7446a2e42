/** A job that works on a person's pull request: what the rules make of it. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import type { Effect } from "../../src/domain/job/effect.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { evaluate } from "../../src/domain/job/merge-verdict.ts";
import { outcomeOf } from "../../src/domain/job/outcome.ts";
import { isForChecksAlone } from "../../src/domain/job/target.ts";
import { jobView } from "../../src/domain/job/view.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import { agentV2View } from "../../src/http/dialects/agent-v2/view.ts";
import { createJobView } from "../../src/http/dialects/create-job/status-view.ts";
import {
  ADA,
  begin,
  briefPushed,
  check,
  decided,
  effectsOf,
  facts,
  led,
  resultRead,
  runChanged,
  settings,
  step,
  T0,
} from "./job-fixtures.ts";

const URL = "https://github.example/octo/demo/pull/8";
const target = { number: 8, url: URL, branch: "mine" } as const;
const asked = () => begin({ target, base_branch: "mine", origin: { kind: "comment", issue: 8, comment_id: 70 } });
const brief = (attempt = 1, sha = "theirs", head_sha = "brief") =>
  ({
    ...briefPushed(1, attempt, head_sha),
    base: { branch: "mine", sha },
    failing: { sha, signature: "red" },
  }) as Command;
const runEnds = (id = 500, head = "brief") => [
  runChanged({ id }, head),
  runChanged({ id, status: "completed", conclusion: "success" }, head),
];
const pushed = (attempt = 1, head_sha = "ours"): Command => ({ type: "work-pushed", round: 1, attempt, head_sha });
const stopped = (attempt = 1): Command => ({ type: "work-stopped", round: 1, attempt, sentence: "Somebody pushed." });

const working = () => led(asked(), brief(), ...runEnds());
const submitted = () => led(working(), resultRead());
const onTheirs = () => led(submitted(), pushed());
const seen = (change: Parameters<typeof facts>[0] = {}) =>
  ({ type: "observe", facts: facts({ head_sha: "ours", base: "main", ...change }) }) as const;
const RED = { checks: [check({ state: "failure" })] };

describe("a job on a person's pull request", () => {
  it("has that pull request from the start, shown in every dialect, and begins on its branch", () => {
    const job = asked();
    expect(job).toMatchObject({
      pull_request: { number: 8, url: URL },
      merge: { state: "off" },
      base: { branch: "mine" },
    });
    expect(jobView(job, T0)).toMatchObject({ pr_url: URL, pr_branch: "mine" });
    expect(agentV2View(job, { github_web_url: "https://github.example", model: "m" })).toMatchObject({
      prLink: URL,
    });
    expect(createJobView(job, [])).toMatchObject({ pr_url: URL });
    expect(jobView(begin(), T0).pr_branch).toBeNull();
  });

  it("expects their head as its first brief saw it, and later its own commit", () => {
    expect(working().target).toMatchObject({ head_sha: "theirs", pushed_sha: null, failing: { sha: "theirs" } });
    expect(onTheirs()).toMatchObject({ head_sha: "ours", target: { head_sha: "ours", pushed_sha: "ours" } });
    expect(led(onTheirs(), seen(RED), brief(2, "ours", "brief2")).target).toMatchObject({
      head_sha: "ours",
      failing: { sha: "ours" },
    });
  });

  it("ends before its run where nothing else was asked for than checks that pass by now, with the branch of an attempt before", () => {
    const job = begin({ target: { ...target, only_checks: true }, base_branch: "mine" });
    expect(isForChecksAlone(job)).toBe(true);
    expect(isForChecksAlone(asked())).toBe(false);
    const report: Command = { type: "work-needless", round: 1, attempt: 1, sentence: "No check fails any more." };
    const ended = step(job, report);
    expect(decided(ended).job).toMatchObject({ status: "verified", merge: { state: "off" }, attempt_count: 0 });
    expect([effectsOf(ended), outcomeOf(decided(ended).job)]).toEqual([["sync-comment"], "nothing_to_do"]);
    expect(statusComment(decided(ended).job)).toMatch(
      /nothing was pushed to this pull request.*No check fails any more\./s,
    );
    const second = led(job, brief(), ...runEnds(), resultRead({ outcome: "failed", reason: "It broke." }));
    const late = step(second, { ...report, attempt: 2 });
    expect([decided(late).job.status, effectsOf(late)]).toEqual(["verified", ["sync-comment", "delete-branch"]]);
    expect(step(second, report).kind).toBe("unchanged");
    const more = led(decided(ended).job, { type: "message", text: "louder", by: ADA, comment_id: 71 });
    expect(isForChecksAlone(more)).toBe(false);
  });

  it.each([
    ["closed", { type: "closed", pull_request: 8, by: "ada" }, "The pull request was closed without merging."],
    ["without its branch", { type: "branch-deleted" }, "Its branch was deleted."],
    ["not wanted any more", { type: "discard", by: ADA, comment_id: null }, "It was discarded."],
  ] as const)("says why it is cancelled: %s", (_name, command, why) => {
    expect(statusComment(led(working(), command as Command))).toMatch(
      new RegExp(`\\*\\*Cancelled\\*\\*[^\n]*\n\n${why}`),
    );
  });

  it("pushes its work to their branch in place of opening one of its own, and then looks at the checks", () => {
    const read = step(working(), resultRead());
    expect(effectsOf(read)).toEqual(["push-to-pull-request"]);
    const there = step(decided(read).job, pushed());
    expect(effectsOf(there)).toEqual(["sync-comment", "read-facts"]);
    expect(step(onTheirs(), pushed())).toMatchObject({ kind: "decided", job: { head_sha: "ours" } });
  });

  it("judges nothing before its commit is there", () => {
    expect(step(submitted(), { type: "look", forced: true }).kind).toBe("unchanged");
    expect(step(submitted(), { type: "head-moved", sha: "elsewhere" }).kind).toBe("unchanged");
    expect(step(submitted(), seen()).kind).toBe("unchanged");
  });

  it("is done when the checks are green, merges never, and leaves no branch behind", () => {
    const green = step(onTheirs(), seen());
    expect(decided(green).job).toMatchObject({ status: "verified", merge: { state: "off" } });
    expect(effectsOf(green)).toEqual(["sync-comment", "delete-branch"]);
    expect(outcomeOf(decided(green).job)).toBe("done");
    expect(statusComment(decided(green).job)).toContain("Merging it is left to you.");
  });

  it.each([
    ["clean", {}],
    ["blocked", { merge_state: "BLOCKED" }],
    ["its auto-merge on", { auto_merge_enabled: true }],
  ])("is never merged by us, however ready it is: %s", (_name, change) => {
    const given = facts({ head_sha: "ours", settings: settings({ require_checks: false }), ...change });
    expect(evaluate(given, onTheirs(), T0).merge).toMatchObject({ how: "none", never: true });
  });

  it("has none of the effects that would change somebody's pull request", () => {
    const sha = "ours";
    const never: Effect[] = [
      { type: "open-pull-request", round: 1 },
      { type: "close-pull-request" },
      { type: "merge", sha, method: "squash" },
      { type: "enable-auto-merge", sha, method: "squash" },
      { type: "disable-auto-merge" },
    ];
    const merging: Job = { ...onTheirs(), merge: { state: "merging", sha, refusals: 0, deletes_branch: false } };
    const auto: Job = { ...onTheirs(), merge: { state: "auto", sha, deletes_branch: false } };
    for (const job of [submitted(), onTheirs(), merging, auto])
      for (const effect of never) expect([effect.type, isWanted(effect, job)]).toEqual([effect.type, false]);
    expect(effectsOf(step(onTheirs(), { type: "discard", by: ADA }))).not.toContain("close-pull-request");
  });

  it("stops with its reason where a person was quicker, without another attempt", () => {
    const late = step(submitted(), stopped());
    expect(decided(late).job).toMatchObject({ status: "failed", failure: "Somebody pushed." });
    expect(effectsOf(late)).toEqual(["sync-comment"]);
    const before = step(led(onTheirs(), seen(RED)), stopped(2));
    expect(decided(before).job).toMatchObject({ status: "failed", attempt: 2 });
    expect(step(submitted(), stopped(2)).kind).toBe("unchanged");
    expect(step(decided(late).job, pushed()).kind).toBe("unchanged");
  });

  it("is over, and says so, where a person pushes after it", () => {
    const after = decided(step(onTheirs(), seen({ head_sha: "theirs2", ...RED })));
    expect(after.job).toMatchObject({ status: "verified", merge: { state: "off" } });
    expect(statusComment(after.job)).toContain("Somebody has pushed to the branch since");
  });

  it("looks again for the statuses of its commit, of which no event tells, and leaves its base to a person", () => {
    const pending = step(onTheirs(), seen({ checks: [check({ state: "pending" })], mergeable: "conflict" }));
    const { updated_at } = decided(pending).job;
    expect(decided(pending).effects).toContainEqual(
      expect.objectContaining({ effect: { type: "read-facts", runs: [] }, not_before: updated_at + 120_000 }),
    );
    expect(effectsOf(step(onTheirs(), seen({ checks: [check({ state: "pending", run_id: 5 })] })))).not.toContain(
      "read-facts",
    );
    const behind = led(onTheirs(), seen({ merge_state: "BEHIND" }));
    expect(behind).toMatchObject({ status: "verified", catch_up: { turn: null } });
  });

  it("never warns of an end, nor counts as one of ours that is open", () => {
    const given = { ...settings(), limits: { ...settings().limits, expires_days: 1 } };
    const green = led(onTheirs(), seen({ settings: given }));
    expect(green).toMatchObject({ status: "verified", expiry: null, pull_request_open: false });
    const red = led(onTheirs(), seen({ settings: given, ...RED }), stopped(2));
    expect(red).toMatchObject({ status: "failed", expiry: null, pull_request_open: false });
  });

  it("opens no round for a review, which is for whoever works on the pull request", () => {
    const review = { id: 1, node_id: "PRR_1", by: "rex" };
    const comment_id = "review:PRR_1";
    const asked = step(onTheirs(), { type: "review", pull_request: 8, heeded: true, review, by: ADA, comment_id });
    expect(asked.kind).toBe("unchanged");
  });

  it("makes a second attempt when its checks are red, and no third", () => {
    const second = led(onTheirs(), seen(RED));
    expect(second).toMatchObject({ status: "queued", attempt: 2 });
    const again = led(
      second,
      brief(2, "ours", "brief2"),
      ...runEnds(501, "brief2"),
      resultRead({}, 1, 2),
      pushed(2, "ours2"),
    );
    expect(led(again, seen({ head_sha: "ours2", ...RED })).status).toBe("failed");
  });

  it.each([
    ["question", "question"],
    ["refused", "declined"],
    ["nothing_to_do", "nothing_to_do"],
  ] as const)("pushes nothing where the agent's word is %s", (said, outcome) => {
    const read = step(working(), resultRead({ outcome: said, changed_files: [], body: "Which one?" }));
    expect(effectsOf(read)).not.toContain("push-to-pull-request");
    expect(outcomeOf(decided(read).job)).toBe(outcome);
    expect(statusComment(decided(read).job)).toContain("Which one?");
  });

  it("goes on after an answer, and never begins to merge by that", () => {
    const question = led(working(), resultRead({ outcome: "question", changed_files: [] }));
    const next = led(question, { type: "message", text: "The left one.", by: ADA, comment_id: 71 });
    expect(next).toMatchObject({ status: "queued", round: 2, merge: { state: "off" }, target: { head_sha: "theirs" } });
  });

  it.each([
    ["waits for its run", () => led(asked(), brief())],
    ["is at work", working],
    ["has work that is not pushed", submitted],
  ])("that %s is cancelled when a person merges without it, and says so", (_name, at) => {
    const job = led(at(), { type: "merged", pull_request: 8, by: "ada", at: T0 });
    expect(job).toMatchObject({ status: "cancelled", merged_at: null });
    expect(statusComment(job)).toContain("was merged before any work of this job was on it");
  });

  it("that has failed stays failed when a person merges", () => {
    const failed: Job = { ...working(), status: "failed" };
    expect(step(failed, { type: "merged", pull_request: 8, by: "ada", at: T0 }).kind).toBe("unchanged");
  });

  it("is cancelled when the pull request is closed, and ends when a person merges it", () => {
    expect(led(working(), { type: "closed", pull_request: 8, by: "ada" }).status).toBe("cancelled");
    expect(led(onTheirs(), { type: "merged", pull_request: 8, by: "ada", at: T0 })).toMatchObject({
      status: "verified",
      merged_at: T0,
    });
    const done = led(onTheirs(), seen());
    expect(step(done, { type: "reopened", pull_request: 8 }).kind).toBe("unchanged");
  });

  it("takes its branch along where it is cancelled before it began, and is cancelled with its branch", () => {
    const begun = led(asked(), brief());
    expect(effectsOf(step(begun, { type: "cancel", by: ADA }))).toContain("delete-branch");
    expect(led(led(asked(), brief(), runChanged()), { type: "branch-deleted" }).status).toBe("cancelled");
    expect(step(onTheirs(), { type: "branch-deleted" }).kind).toBe("unchanged");
  });
});
