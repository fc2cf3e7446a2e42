/** Who is told, in a comment of its own, that a job goes no further without a person. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { isOnMarket, type Job } from "../../src/domain/job/job.ts";
import { NO_CHECKS_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { MOST_REVIEW_ROUNDS } from "../../src/domain/job/reviews.ts";
import { isWanted, waitsFor } from "../../src/domain/job/wanted-effects.ts";
import { mentionComment } from "../../src/github/render/mention.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import {
  ADA,
  begin,
  check,
  decided,
  draft,
  effectsOf,
  facts,
  led,
  onMarket,
  resultRead,
  runChanged,
  settings,
  step,
  T0,
  TO_PULL_REQUEST,
} from "./job-fixtures.ts";

const COMMENTED: Command = { type: "comment-synced", comment_id: 31 };
const TO_RUN = TO_PULL_REQUEST.slice(0, 4);
const asks = resultRead({ outcome: "question", body: "Red or blue?", changed_files: [] });
const MENTION = { type: "mention-requester", round: 1 } as const;
const observed = (change = {}): Command => ({ type: "observe", facts: facts(change) });
const WEB = "https://github.example";
const said = (job: Job): string => mentionComment(job, WEB) ?? "";

const running = (change = {}): Job => led(begin(draft(change)), COMMENTED, ...TO_RUN);
const inReview = (change = {}): Job => led(begin(draft(change)), COMMENTED, ...TO_PULL_REQUEST);

describe("a job that waits for a person", () => {
  it("mentions its requester once in the round where the agent asks, and its comment leads there", () => {
    const asked = step(running(), asks);
    expect(effectsOf(asked)).toContain("mention-requester");
    const { job } = decided(asked);
    expect(said(job)).toMatch(
      /^@ada, the agent asks something before it goes on:\n\n> Red or blue\?\n\nAnswer here with `\/job <answer>`\./,
    );
    expect(said(job)).toContain("https://github.example/octo/demo/issues/7#issuecomment-31");
    expect(said(job)).toContain("<!-- journeyman:mention:abcd1234:1 -->");
    expect(statusComment(job, { web_url: WEB })).not.toContain("told in a comment");
    const told = led(job, { type: "requester-mentioned", round: 1, mention_id: 32 });
    expect(statusComment(told, { web_url: WEB })).toContain(
      "`ada` was [told in a comment](https://github.example/octo/demo/issues/7#issuecomment-32).",
    );
    expect(effectsOf(step(told, { type: "show", comment_id: null }))).not.toContain("mention-requester");
    const answered = led(told, { type: "message", text: "blue", by: ADA, comment_id: 71 });
    expect(statusComment(answered, { web_url: WEB })).not.toContain("told in a comment");
    expect(isWanted(MENTION, answered)).toBe(false);
  });

  it("is mentioned before its comment is written, which leads there in the same edit", () => {
    const { job } = decided(step(running(), asks));
    expect(isWanted(MENTION, job)).toBe(true);
    expect(waitsFor({ type: "sync-comment" }, [MENTION])).toBe(true);
  });

  it.each([
    ["whom nobody has asked for by name", { requester: null }],
    ["of the API", { origin: { kind: "rest", dialect: "create-job", key_id: null } }],
  ])("mentions nobody for a job %s", (_, change) => {
    expect(effectsOf(step(running(change), asks))).not.toContain("mention-requester");
  });

  it("mentions nobody while its first comment is still to be written, which is new itself", () => {
    expect(effectsOf(step(led(begin(), ...TO_RUN), asks))).not.toContain("mention-requester");
  });

  it("mentions nobody whose name is none", () => {
    const job = decided(step(running({ requester: "org/team @all" }), asks)).job;
    expect(mentionComment(job, WEB)).toBeNull();
  });

  it("shows what the agent says as a quotation that mentions and hides nothing", () => {
    const body = "@everyone <!-- journeyman:mention:abcd1234:1 --> closes #4";
    const job = decided(step(running(), resultRead({ outcome: "question", body, changed_files: [] }))).job;
    expect(said(job)).toMatch(/^@ada, /);
    expect(said(job).match(/(?<!\p{L})@\p{L}/gu)).toEqual(["@a"]);
    expect(said(job).match(/<!--/g)).toHaveLength(1);
  });
});

describe("a job that has failed", () => {
  const failedRun = (id: number, sha: string) => [
    runChanged({ id }, sha),
    runChanged({ id, status: "completed", conclusion: "failure" }, sha),
  ];

  it("mentions its requester after its last attempt, and not after the first", () => {
    const first = step(running(), resultRead({ outcome: "failed", reason: "It broke." }));
    expect(effectsOf(first)).not.toContain("mention-requester");
    const second = led(
      decided(first).job,
      { ...TO_PULL_REQUEST[0], type: "brief-pushed", attempt: 2, head_sha: "brief2" } as Command,
      ...failedRun(501, "brief2"),
    );
    const last = step(second, resultRead({ outcome: "failed", reason: "It broke again." }, 1, 2));
    expect(decided(last).job.status).toBe("failed");
    expect(effectsOf(last)).toContain("mention-requester");
    expect(said(decided(last).job)).toContain(
      "@ada, the job failed:\n\n> It broke again.\n\n`/job retry` tries again.",
    );
  });

  it("may mention them again in the round of a retry", () => {
    const failed = led(
      running(),
      resultRead({ outcome: "failed", reason: "No key.", permanent_error: "auth" } as never),
    );
    expect([failed.status, failed.mention?.round]).toEqual(["failed", 1]);
    const again = led(failed, { type: "retry", by: ADA, comment_id: 9 });
    const refused = step(again, { type: "brief-refused", round: 2, attempt: 1, sentence: "No workflow." });
    expect([effectsOf(refused).includes("mention-requester"), decided(refused).job.mention?.round]).toEqual([true, 2]);
  });
});

describe("a pull request that goes no further", () => {
  it("mentions the requester where rounds for its conflicts have failed", () => {
    const job = inReview();
    const tired: Job = { ...job, catch_up: { ...job.catch_up, resolving: true, failures: 1, rounds: 2 } };
    const stuck = step(tired, observed({ mergeable: "conflict" }));
    expect(effectsOf(stuck)).toContain("mention-requester");
    expect(said(decided(stuck).job)).toMatch(
      /^@ada, pull request \[#8\].* cannot merge by itself: two rounds to resolve them failed, so resolve them on job\/abcd1234/,
    );
  });

  it("mentions them where required checks have not been heard of in half an hour, and not before", () => {
    const missing = { required: [{ name: "lint", app_id: null }], checks: [check()] };
    const early = step(inReview(), observed(missing));
    expect(effectsOf(early)).not.toContain("mention-requester");
    const job = decided(early).job;
    const late: Job = { ...job, woken_at: (job.submitted_at ?? T0) + NO_CHECKS_LIMIT_MS };
    const told = step(late, observed(missing));
    expect(effectsOf(told)).toContain("mention-requester");
    expect(said(decided(told).job)).toContain("required checks have not reported");
  });

  it("mentions them where GitHub refuses the merge for good, and not where the settings leave it to a person", () => {
    const green = led(inReview(), observed());
    const refused = step(green, { type: "merge-refused", sha: "finish", sentence: "GitHub says no", final: true });
    expect(effectsOf(refused)).toContain("mention-requester");
    expect(said(decided(refused).job)).toContain("is good, and GitHub does not merge it: GitHub says no.");
    const off = step(inReview(), observed({ settings: settings({ enabled: false }) }));
    expect(effectsOf(off)).not.toContain("mention-requester");
  });

  it("mentions them at the review that begins no round by itself any more", () => {
    const job = inReview();
    const full: Job = { ...job, reviews: { ...job.reviews, rounds: MOST_REVIEW_ROUNDS } };
    const sixth: Command = {
      ...{ type: "review", pull_request: 8, review: { id: 6, node_id: "PRR_6", by: "rex" } },
      ...{ by: ADA, comment_id: "review:PRR_6", heeded: true },
    };
    const told = step(full, sixth);
    expect(effectsOf(told)).toContain("mention-requester");
    expect(said(decided(told).job)).toMatch(
      /^@ada, reviews have begun 5 rounds .*\n\n`\/job <text>` on pull request \[#8\]/,
    );
  });

  it("mentions them with the warning that it expires, and of a settled failure only once", () => {
    const { limits, ...others } = settings({ enabled: false });
    const expiring = { ...others, limits: { ...limits, expires_days: 9 } };
    const waiting = led(inReview(), observed({ settings: expiring }));
    const due: Job = { ...waiting, expiry: { at: waiting.updated_at, seen_at: 0, warned_at: null } };
    const warned = step(due, { type: "tick" });
    expect(effectsOf(warned)).toContain("mention-requester");
    expect(said(decided(warned).job)).toMatch(
      /^@ada, pull request \[#8\].*\n\n\*\*It waits for a person, and is closed on/,
    );
    const before: Job = { ...due, mention: { round: 1, why: "stuck", comment_id: 32 } };
    expect(effectsOf(step(before, { type: "tick" }))).not.toContain("mention-requester");
  });

  it("mentions the sender of market work that waits for their word", () => {
    const job = onMarket();
    if (!isOnMarket(job)) throw new Error("it is on the market");
    const asked: Job = {
      ...{ ...job, requester: "ada", comment: { id: 31 }, submitted_at: T0 },
      work: { ...job.work, sender_asked_at: T0 },
      mention: { round: 1, why: "sender", comment_id: null },
    };
    expect(said(asked)).toMatch(/^@ada, the work is handed in and waits for its sender\.\n\n.*`\/job approve`/);
  });
});
