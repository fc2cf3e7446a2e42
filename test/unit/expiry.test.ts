/** Pull requests that wait for a person: when they are warned of and closed, and what starts their time again. */
import { describe, expect, it, test } from "vitest";
import type { RepositorySettings } from "../../src/contracts/settings.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { Facts } from "../../src/domain/job/facts.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { evaluate, PERSONS_TURN } from "../../src/domain/job/merge-verdict.ts";
import { nextTimerAt } from "../../src/domain/job/next-timer.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import {
  ADA,
  begin,
  briefPushed,
  effectsOf,
  facts,
  led,
  onMarket,
  resultRead,
  runChanged,
  settings,
  step,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const DAY = 24 * 3_600_000;

const expiring = (auto_merge: Partial<RepositorySettings["auto_merge"]> = { enabled: false }, days = 14) => {
  const all = settings(auto_merge);
  return { ...all, limits: { ...all.limits, expires_days: days } };
};

const inReview = () => led(begin(), ...TO_PULL_REQUEST);
const seen = (change: Partial<Facts> = {}): Command => ({
  type: "observe",
  facts: facts({ settings: expiring(), ...change }),
});
const waiting = (): Job => led(inReview(), seen());

/** The job after its timer has fired, and when that was. */
function woken(job: Job): { readonly job: Job; readonly at: number } {
  const at = nextTimerAt(job);
  if (at === null) throw new Error("nothing wakes it");
  const decision = step(job, { type: "tick" }, at);
  if (decision.kind !== "decided") throw new Error("nothing comes of it");
  return { job: decision.job, at };
}

describe("a pull request that waits for a person", () => {
  it("is warned of three days before its end, in one edit", () => {
    const job = waiting();
    const { job: warned, at } = woken(job);
    expect(at).toBe(job.updated_at + 11 * DAY);
    expect(effectsOf(step(job, { type: "tick" }, at))).toEqual(["sync-comment"]);
    expect(statusComment(warned)).toContain("is closed on 20");
    expect(nextTimerAt(warned)).toBe(job.updated_at + 14 * DAY);
  });

  it("is closed at its end, once GitHub says that nobody has touched it", () => {
    const { job: warned } = woken(waiting());
    const at = nextTimerAt(warned) ?? 0;
    const over = step(warned, { type: "tick" }, at);
    expect(effectsOf(over)).toEqual(["expire-pull-request"]);
    const closed = led(woken(warned).job, { type: "expired", pull_request: 8 });
    expect(closed).toMatchObject({
      status: "verified",
      pull_request_open: false,
      expiry: null,
      merge: { state: "off" },
    });
    expect(statusComment(closed)).toContain("nobody touched it for 14 days");
    expect(nextTimerAt(closed)).toBeNull();
  });

  it("goes on with a message on its branch", () => {
    const closed = led(woken(woken(waiting()).job).job, { type: "expired", pull_request: 8 });
    const next = led(closed, { type: "message", text: "more", by: ADA, comment_id: 99 });
    expect(next).toMatchObject({ status: "queued", round: 2, notice: null });
  });

  it("goes on when it is reopened, with its whole time again", () => {
    const closed = led(woken(woken(waiting()).job).job, { type: "expired", pull_request: 8 });
    const back = led(closed, { type: "reopened", pull_request: 8 }, seen());
    expect(back).toMatchObject({ pull_request_open: true, notice: null });
    expect(back.expiry?.at).toBe(back.updated_at + 14 * DAY);
  });

  test.each<Command>([
    { type: "touched" },
    { type: "head-moved", sha: "else" },
    { type: "show", comment_id: 44 },
    { type: "look", forced: false, touched: true },
  ])("has its whole time again after %o, and the warning goes", (command) => {
    const { job: warned, at } = woken(waiting());
    const touched = step(warned, command, at + DAY);
    if (touched.kind !== "decided") throw new Error("nothing comes of it");
    expect(touched.job.expiry).toEqual({ at: at + 15 * DAY, seen_at: at + DAY, warned_at: null });
    expect(effectsOf(touched)).toContain("sync-comment");
  });

  it("is not written again for each of many comments", () => {
    const job = waiting();
    expect(step(job, { type: "touched" }, job.updated_at + 60_000).kind).toBe("unchanged");
    expect(step(job, { type: "touched" }, job.updated_at + 2 * 3_600_000).kind).toBe("decided");
  });

  it("is not closed for a touch that GitHub alone knew of", () => {
    const { job: warned, at } = woken(waiting());
    const over = woken({ ...warned }).job;
    const touched = led(over, { type: "touched", at: at + DAY });
    expect(touched.expiry).toMatchObject({ at: at + 15 * DAY, warned_at: null });
    expect(nextTimerAt(touched)).toBe(at + 12 * DAY);
  });

  it("waits anew where GitHub could not be reached for its end", () => {
    const over = woken(woken(waiting()).job).job;
    const effect = { type: "expire-pull-request" } as const;
    const again = led(over, { type: "effect-abandoned", effect, sentence: "GitHub is away." });
    expect(again.expiry).toMatchObject({ at: again.updated_at + 14 * DAY, warned_at: null });
  });

  it("is told of first by a server that was away until after its end", () => {
    const job = waiting();
    const late = job.updated_at + 30 * DAY;
    const warned = step(job, { type: "tick" }, late);
    expect(warned).toMatchObject({ job: { expiry: { at: late + 3 * DAY, warned_at: late } } });
  });

  it("has its whole time from the day on which the settings name one", () => {
    const job = led(inReview(), seen({ settings: settings({ enabled: false }) }));
    expect(nextTimerAt(job)).toBeNull();
    const told = led(job, { type: "limits-changed", limits: expiring().limits });
    expect(told.expiry?.at).toBe(told.updated_at + 14 * DAY);
    const never = led(told, { type: "limits-changed", limits: settings().limits });
    expect(never.expiry).toBeNull();
  });
});

describe("a job that waits for an answer", () => {
  const asked = () => {
    const at_work = led(begin(), briefPushed(), runChanged());
    const allowed = { ...at_work, settings: expiring() };
    const ended = runChanged({ status: "completed", conclusion: "success" });
    return led(allowed, ended, resultRead({ outcome: "question", body: "Which colour?", changed_files: [] }));
  };

  it("is warned of, and closed where nobody answers", () => {
    expect(asked()).toMatchObject({ status: "waiting_for_user", pull_request: null });
    const { job: warned } = woken(asked());
    expect(statusComment(warned)).toContain("unless somebody answers until then");
    const { job: over } = woken(warned);
    expect(over).toMatchObject({ status: "cancelled", expiry: null });
    expect(statusComment(over)).toContain("Nobody answered the agent's question for 14 days.");
  });

  it("has all the time of its next round once somebody answers", () => {
    const answered = led(asked(), { type: "message", text: "blue", by: ADA, comment_id: 5 });
    expect(answered).toMatchObject({ status: "queued", expiry: null });
  });
});

describe("what waits for somebody else is never closed", () => {
  it.each([
    ["for checks", seen({ checks: [], settings: expiring({}) })],
    ["for GitHub to compute", seen({ settings: expiring({}), mergeable: "unknown" })],
    ["for a merge of ours", seen({ settings: expiring({}) })],
    ["for the base branch", seen({ settings: expiring({}), merge_state: "BEHIND" })],
  ])("%s", (_what, command) => {
    expect(led(inReview(), command).expiry).toBeNull();
  });

  it("is the market's, which was paid for", () => {
    const job = led(onMarket(), TO_PULL_REQUEST.at(-1) ?? seen());
    expect(step(job, seen()).kind).toBe("decided");
    expect(led(job, seen()).expiry).toBeNull();
  });

  it("is not waiting any more while a further round is under way", () => {
    const more = led(waiting(), { type: "message", text: "more", by: ADA, comment_id: 99 });
    expect(more.expiry).toBeNull();
  });
});

describe("what a person must do", () => {
  it.each([
    ["a draft", { draft: true }],
    ["a review that is missing", { merge_state: "BLOCKED", auto_merge_allowed: false }],
    ["a review that asks for changes", { review: "changes_requested" }],
  ] as const)("is known of %s", (_what, change) => {
    const judged = evaluate(facts({ settings: expiring({}), ...change }), inReview(), 0);
    expect(PERSONS_TURN.has(judged.merge.text)).toBe(true);
    expect(led(inReview(), seen({ settings: expiring({}), ...change })).expiry).not.toBeNull();
  });

  it("is known of conflicts that no round resolves", () => {
    const conflict = seen({ settings: expiring({}), mergeable: "conflict" });
    const job = led(inReview(), conflict);
    expect(job.expiry).toBeNull();
    const tried: Job = { ...job, catch_up: { ...job.catch_up, failures: 2 } };
    expect(led(tried, conflict)).toMatchObject({
      catch_up: { stuck: expect.any(String) },
      expiry: { warned_at: null },
    });
  });
});
