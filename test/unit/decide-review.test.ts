import { describe, expect, it } from "vitest";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Facts } from "../../src/domain/job/facts.ts";
import { isSenderAsked, type Job, marketWork } from "../../src/domain/job/job.ts";
import { NO_CHECKS_LIMIT_MS, nextTimerAt, SENDER_LIMIT_MS, SENDER_NOTICE_MS } from "../../src/domain/job/next-timer.ts";
import { MOST_JUDGED } from "../../src/domain/job/rules/reviewing.ts";
import { NEW_ACTIONS_WORK } from "../../src/domain/job/schema.ts";
import { balanceOf, type Posting } from "../../src/domain/market/ledger.ts";
import {
  ADA,
  check,
  decided,
  effectsOf,
  facts,
  ID,
  judged,
  led,
  mergedBy,
  onMarket,
  opened,
  PEOPLE,
  settings,
  step,
  T0,
  work,
} from "./job-fixtures.ts";

const BOB = { account: "bob", login: "bob" } as const;
const APPROVE: Command = { type: "approve", account: "ada", by: ADA, comment_id: null };
const REJECT: Command = { type: "reject-work", account: "ada", by: ADA, reason: "It is too slow.", comment_id: null };

const inReview = (): Job => led(onMarket(), opened());
const inWords = (): Job => led(onMarket(), { type: "nothing-to-open", round: 1 });
const observed = (change: Partial<Facts> = {}): Command => ({ type: "observe", facts: facts(change) });
const at = (job: Job, after_ms: number): number => (job.submitted_at ?? 0) + after_ms;

const RED = observed({ checks: [check({ state: "failure", name: "test" })] });
const PENDING = observed({ checks: [check({ state: "pending" })] });
const UNCHECKED = observed({ checks: [] });
const FREE = observed({ checks: [], settings: settings({ require_checks: false }) });

const payout = [
  { account: "escrow:abcd1234", cents: -500, reason: "payout" },
  { account: "user:bob", cents: 350, reason: "payout" },
  { account: "fees", cents: 150, reason: "fee" },
];

describe("verification begins by itself", () => {
  it("asks the judge as soon as there is a pull request, beside the facts", () => {
    const decision = step(onMarket(), opened());
    expect(effectsOf(decision)).toEqual(expect.arrayContaining(["judge", "read-facts"]));
    expect(decided(decision).effects.find(({ effect }) => effect.type === "judge")?.effect).toEqual({
      ...{ type: "judge", round: 1, attempt: 1, sha: "finish" },
    });
  });

  it("asks nobody about a job of GitHub Actions", () => {
    const job = led(onMarket(), opened());
    expect(effectsOf(step({ ...job, work: NEW_ACTIONS_WORK }, observed({ head_sha: "later" })))).not.toContain("judge");
  });

  it("asks again about another commit, and not without end", () => {
    let job = led(inReview(), judged("unsure"));
    for (let nth = 2; nth <= MOST_JUDGED; nth++) {
      const moved = step(job, observed({ head_sha: `head${nth}` }));
      expect(effectsOf(moved)).toContain("judge");
      job = led(decided(moved).job, judged("unsure", ["Hm."], `head${nth}`));
    }
    const last = step(job, observed({ head_sha: "one too many" }));
    expect(effectsOf(last)).not.toContain("judge");
    expect(decided(last).job.work).toMatchObject({ judgement: { sha: "one too many", verdict: "unsure" } });
  });

  it("goes on without a judge where there is none, however often the branch moves", () => {
    let job = led(inReview(), judged("none"));
    for (let nth = 0; nth <= MOST_JUDGED; nth++)
      job = led(job, observed({ head_sha: `head${nth}` }), judged("none", [], `head${nth}`));
    expect(isSenderAsked(led(job, observed({ head_sha: `head${MOST_JUDGED}` })))).toBe(true);
  });

  it.each([
    ["of an earlier attempt", { ...judged("pass"), attempt: 2 }],
    ["of another commit", judged("pass", [], "elsewhere")],
    ["that was given already", judged("fail")],
  ] as const)("drops a word %s", (_, command) => {
    expect(step(led(inReview(), judged("pass")), command as Command).kind).toBe("unchanged");
  });
});

/** What the judge says, what the facts say, how long after the submit; and what follows. */
const TABLE: readonly (readonly [string, Command | null, Command, number, string, string])[] = [
  ["green and a pass", judged("pass"), observed(), 60_000, "verified", "checks and judge agree"],
  ["green without a judge", judged("none"), observed(), 60_000, "submitted", "the sender decides"],
  ["green before the judge has spoken", null, observed(), 60_000, "submitted", "the judge has not spoken yet"],
  ["a pass before the checks are done", judged("pass"), PENDING, 60_000, "submitted", "the only check is not done"],
  ["red and a pass", judged("pass"), RED, 60_000, "queued", "the only check failed"],
  ["red before the judge has spoken", null, RED, 60_000, "queued", "the only check failed"],
  ["green and not sure", judged("unsure"), observed(), 60_000, "submitted", "the sender decides"],
  [
    "not sure, and nobody was asked before",
    judged("unsure"),
    observed(),
    SENDER_LIMIT_MS,
    "submitted",
    "the sender decides",
  ],
  ["no check in the first minutes", judged("none"), UNCHECKED, 60_000, "submitted", "no check has reported yet"],
  ["nothing that could say", judged("none"), UNCHECKED, NO_CHECKS_LIMIT_MS, "submitted", "the sender decides"],
  ["nothing that could say, on purpose", judged("none"), FREE, 60_000, "submitted", "the sender decides"],
  ["a pass alone, where nothing checks", judged("pass"), FREE, 60_000, "verified", "the judge agrees"],
  ["a pass alone, after half an hour", judged("pass"), UNCHECKED, NO_CHECKS_LIMIT_MS, "verified", "the judge agrees"],
  ["red after three days", judged("unsure"), RED, SENDER_LIMIT_MS, "queued", "the only check failed"],
  ["pending after three days", judged("unsure"), PENDING, SENDER_LIMIT_MS, "submitted", "the only check is not done"],
  ["unjudged after three days", null, observed(), SENDER_LIMIT_MS, "submitted", "the judge has not spoken yet"],
];

describe("checks and judge must agree", () => {
  it.each(TABLE)("%s", (_name, word, seen, after_ms, status, text) => {
    const job = word === null ? inReview() : led(inReview(), word);
    const { job: next, postings } = decided(step(job, seen, at(job, after_ms)));
    expect(next.status).toBe(status);
    expect(next.reasons[0]?.text).toContain(text);
    expect(postings).toEqual(status === "verified" ? payout : []);
  });

  it.each([
    ["not sure", judged("unsure"), observed(), 0],
    ["green without a judge", judged("none"), observed(), 0],
    ["nothing that could say", judged("none"), UNCHECKED, NO_CHECKS_LIMIT_MS],
  ] as const)("counts silence as a yes after 72 hours, and not a moment before: %s", (_name, word, seen, asked_ms) => {
    const judgedJob = led(inReview(), word);
    const asked = decided(step(judgedJob, seen, at(judgedJob, asked_ms))).job;
    const early = decided(step(asked, seen, at(asked, SENDER_LIMIT_MS - 1))).job;
    expect(early.status).toBe("submitted");
    const late = decided(step(asked, seen, at(asked, SENDER_LIMIT_MS)));
    expect(late.job).toMatchObject({ status: "verified", work: { approval: { sha: "finish", by: null } } });
    expect(late.job.reasons[0]?.text).toContain("nobody has objected");
    expect(late.postings).toEqual(payout);
  });

  it("gives a sender who is asked late a day at least, and wakes then", () => {
    const waiting = led(inReview(), judged("unsure"), PENDING);
    const asked_at = at(waiting, SENDER_LIMIT_MS + 3_600_000);
    const asked = decided(step({ ...waiting, woken_at: at(waiting, SENDER_LIMIT_MS) }, observed(), asked_at)).job;
    expect(asked).toMatchObject({ status: "submitted", work: { sender_asked_at: asked_at } });
    expect(nextTimerAt(asked)).toBe(asked_at + SENDER_NOTICE_MS);
    expect(decided(step(asked, observed(), asked_at + SENDER_NOTICE_MS - 1)).job.status).toBe("submitted");
    expect(decided(step(asked, observed(), asked_at + SENDER_NOTICE_MS)).job.status).toBe("verified");
  });

  it("fails the attempt on the judge's word alone, with its reasons for the next", () => {
    const failed = decided(step(inReview(), judged("fail", ["There is no test."])));
    expect(failed.job).toMatchObject({ status: "queued", attempt: 2, work: { judgement: null } });
    expect(failed.job.failure).toContain("There is no test.");
    expect(failed.history.map((row) => row.event)).toEqual(["judged", "queued"]);
    expect(failed.postings).toEqual([]);
  });

  it("leaves it to the sender when the model is away for good", () => {
    const effect = { type: "judge", round: 1, attempt: 1, sha: "finish" } as const;
    const away = led(inReview(), { type: "effect-abandoned", effect, sentence: "Gone." });
    expect(away.work).toMatchObject({ judgement: { verdict: "unsure" } });
    expect(isSenderAsked(led(away, observed()))).toBe(true);
  });

  it("tells every step in the history, once", () => {
    const job = led(inReview(), judged("unsure", ["Is that all?"]));
    const asked = decided(step(job, observed()));
    expect(asked.history).toMatchObject([{ event: "checked", from: "submitted", to: "submitted" }]);
    expect(asked.history[0]?.note).toContain("the sender decides");
    expect(decided(step(asked.job, observed())).history).toEqual([]);
  });

  it("does not merge a later commit on the word that was said of an earlier one", () => {
    const paid = led(inReview(), judged("unsure"), APPROVE);
    expect(led(paid, observed()).merge).toMatchObject({ state: "merging", sha: "finish" });
    const moved = led(paid, observed({ head_sha: "elsewhere" }));
    const unsure = led(moved, judged("unsure", [], "elsewhere"), observed({ head_sha: "elsewhere" }));
    expect(unsure.merge.state).toBe("waiting");
    expect(led(moved, judged("pass", [], "elsewhere"), observed({ head_sha: "elsewhere" })).merge.state).toBe(
      "merging",
    );
  });
});

describe("the sender decides", () => {
  it("pays on approval, and merges once that is allowed", () => {
    const job = led(inReview(), judged("unsure"), observed());
    const approved = decided(step(job, APPROVE));
    expect(approved.job).toMatchObject({ status: "verified", work: { approval: { sha: "finish", by: "ada" } } });
    expect(approved.postings).toEqual(payout);
    expect(effectsOf(approved)).toContain("read-facts");
    expect(step(approved.job, APPROVE).kind).toBe("unchanged");
    const red = led(approved.job, RED);
    expect(red).toMatchObject({ status: "verified", merge: { state: "waiting" } });
  });

  it("sends rejected work back with the sender's words, and the price back after the last attempt", () => {
    const once = decided(step(inReview(), REJECT));
    expect(once.job).toMatchObject({ status: "queued", failure: "The sender rejected the work: It is too slow." });
    const last = decided(step({ ...inReview(), attempt_count: 2 }, REJECT));
    expect(last.job.status).toBe("failed");
    expect(last.postings.map(({ reason }) => reason)).toEqual(["refund", "refund"]);
  });

  it("may merge or close the pull request instead", () => {
    const merged = decided(step(inReview(), mergedBy("ada", 1)));
    expect(merged.job.status).toBe("verified");
    expect(merged.postings).toEqual(payout);
    expect(led(inReview(), { type: "closed", pull_request: 8, by: "ada" }).status).toBe("queued");
  });

  const seenMerged = (merged_by: string | null, change: Partial<Facts> = {}): Command =>
    observed({ state: "merged", merged_by, merged_by_id: PEOPLE[merged_by?.toLowerCase() ?? ""] ?? null, ...change });

  it.each(["bob", "Bob"])("is not decided by the worker's own merge (%s), which is looked at instead", (by) => {
    const told = decided(step(inReview(), mergedBy(by, 1)));
    expect(told).toMatchObject({ job: { status: "submitted", merged_at: null }, postings: [] });
    expect(effectsOf(told)).toEqual(["read-facts"]);
    const seen = decided(step(led(inReview(), judged("unsure")), seenMerged(by)));
    expect(seen.job).toMatchObject({ status: "submitted", merged_at: null });
    expect(isSenderAsked(seen.job)).toBe(true);
    expect(seen.postings).toEqual([]);
  });

  it("pays for such work once checks and judge agree, and notes the merge", () => {
    const decision = decided(step(led(inReview(), judged("pass")), seenMerged("bob")));
    expect(decision.job.status).toBe("verified");
    expect(decision.job.merged_at).not.toBeNull();
    expect(decision.postings).toEqual(payout);
    expect(
      led(led(inReview(), judged("pass")), seenMerged("bob", { checks: [check({ state: "failure" })] })).status,
    ).toBe("queued");
  });

  it("pays for such work when the sender approves it, and notes the merge when it is seen next", () => {
    const approved = decided(step(led(inReview(), judged("unsure"), seenMerged("bob")), APPROVE));
    expect(approved.postings).toEqual(payout);
    expect(led(approved.job, seenMerged("bob"))).toMatchObject({ status: "verified", merged_at: expect.any(Number) });
  });

  it("is not decided by a merge of nobody's, as facts may tell it, but by anybody else's", () => {
    expect(led(inReview(), seenMerged(null)).status).toBe("submitted");
    expect(led(inReview(), seenMerged("carl")).status).toBe("verified");
  });

  it("is not decided by a merge of what an earlier attempt has left, unless it was the sender's", () => {
    const job = inReview();
    const dated = (by: string, after_ms: number): Command => mergedBy(by, at(job, after_ms));
    expect(led(job, dated("carl", -1)).status).toBe("submitted");
    expect(led(job, dated("carl", 0)).status).toBe("verified");
    expect(led(job, seenMerged("carl", { merged_at: at(job, -1) })).status).toBe("submitted");
    expect(led(job, dated("ada", -1)).status).toBe("verified");
  });

  it("is not decided by a merge of a program's, be it this App's own for an earlier round", () => {
    expect(step(inReview(), mergedBy("journeyman[bot]", 1))).toMatchObject({
      job: { status: "submitted" },
      postings: [],
    });
    expect(led(inReview(), seenMerged("journeyman[bot]"), judged("fail")).status).toBe("queued");
  });

  it("fails the attempt that hands in a pull request of another job, and keeps those that it leaves behind", () => {
    const taken = decide(onMarket(), opened(), { now: T0, available_cents: 0, pull_request_taken: true });
    const { job, postings } = decided(taken);
    expect(job).toMatchObject({
      status: "queued",
      pull_request: null,
      failure: expect.stringContaining("another job"),
    });
    expect(postings).toEqual([]);
    const second = { ...opened(), number: 9 } as Command;
    const moved = led({ ...inReview(), status: "submitted" }, second, second);
    expect(moved).toMatchObject({ pull_request: { number: 9 }, former_pull_requests: [8] });
  });

  it("is decided by a merge of one's own job", () => {
    const own: Job = { ...inReview(), account: "bob" };
    expect(led(own, mergedBy("bob", 1)).status).toBe("verified");
  });

  it.each([
    ["somebody else", { ...APPROVE, account: "bob", by: BOB }, "forbidden", "approved by ada alone"],
    ["somebody else", { ...REJECT, account: "bob", by: BOB }, "forbidden", "rejected by ada alone"],
  ] as const)("is not %s", (_, command, code, words) => {
    const decision = step(inReview(), command as Command);
    expect(decision).toMatchObject({ refusal: { code, sentence: expect.stringContaining(words) } });
  });

  it("decides about submitted work of the market, and about nothing else", () => {
    const queued = led(inReview(), REJECT);
    expect(step(queued, APPROVE)).toMatchObject({ refusal: { code: "wrong_status" } });
    expect(step({ ...inReview(), work: NEW_ACTIONS_WORK }, APPROVE)).toMatchObject({
      refusal: { code: "wrong_status" },
    });
    expect(step(onMarket(), APPROVE)).toMatchObject({ refusal: { sentence: expect.stringContaining("in a minute") } });
  });

  it("cannot object when the time is over, whether or not a timer has come by", () => {
    const job = led(inReview(), judged("unsure"), observed());
    expect(decided(step(job, REJECT, at(job, SENDER_LIMIT_MS - 1))).job.status).toBe("queued");
    expect(step(job, REJECT, at(job, SENDER_LIMIT_MS))).toMatchObject({ refusal: { code: "wrong_status" } });
  });

  it("may still object after three days to work that was never left to them", () => {
    const job = led(inReview(), judged("unsure"), PENDING);
    expect(decided(step(job, REJECT, at(job, SENDER_LIMIT_MS))).job.status).toBe("queued");
  });
});

describe("work that is words alone", () => {
  it("is judged, and then left to the sender, whatever the judge finds good", () => {
    expect(effectsOf(step(onMarket(), { type: "nothing-to-open", round: 1 }))).toEqual(["judge"]);
    for (const verdict of ["pass", "unsure", "none"] as const) {
      const job = led(inWords(), judged(verdict, [], null));
      expect(job).toMatchObject({ status: "submitted", reasons: [{ verdict: "wait" }] });
      expect(isSenderAsked(job)).toBe(true);
      expect(led(job, APPROVE)).toMatchObject({ status: "verified", merge: { state: "off" } });
    }
  });

  it("fails when the judge says so", () => {
    expect(led(inWords(), judged("fail", ["That is no answer."], null)).status).toBe("queued");
  });

  it("counts as approved after three days, by the timer that wakes it", () => {
    const job = led(inWords(), judged("none", [], null));
    const early = decided(step(job, { type: "tick" }, nextTimerAt(job) ?? 0)).job;
    expect(early.status).toBe("submitted");
    expect(nextTimerAt(early)).toBe(at(job, SENDER_LIMIT_MS));
    const late = decided(step(early, { type: "tick" }, nextTimerAt(early) ?? 0));
    expect(late.job).toMatchObject({ status: "verified", work: { approval: { by: null } } });
    expect(late.postings).toEqual(payout);
  });

  it("is not paid by time before it was looked at", () => {
    const job = inWords();
    expect(step(job, { type: "look", forced: true }, at(job, SENDER_LIMIT_MS)).kind).toBe("unchanged");
  });
});

describe("work that was turned down and is merged after all", () => {
  const CANCEL: Command = { type: "cancel", by: ADA };
  const by = (login: string | null): Command => mergedBy(login, T0 + 9);
  const again = (job: Job): Job => led(job, { type: "pull", agent_id: "a2", account: "carl" });
  const summed = (postings: readonly Posting[]): number => postings.reduce((sum, { cents }) => sum + cents, 0);

  it("is paid to who did it, from the price that still waits", () => {
    const queued = led(inReview(), REJECT);
    for (const job of [queued, again(queued), led(again(queued), { type: "accept", agent_id: "a2" })]) {
      const decision = decided(step(job, by("ada")));
      expect(decision.job).toMatchObject({
        status: "verified",
        merged_at: T0 + 9,
        work: { worker: { account: "bob" } },
      });
      expect(decision.postings).toEqual(payout);
    }
  });

  it.each([
    ["rejected twice", { ...inReview(), attempt_count: 2 }, REJECT],
    ["cancelled, then rejected", led(inReview(), CANCEL), REJECT],
    ["cancelled, then closed", led(inReview(), CANCEL), { type: "closed", pull_request: 8, by: "ada" }],
  ] as const)("is paid from the wallet once the price has gone back: %s", (_name, job, end) => {
    const over = led(job, end as Command);
    const rich = decided(step(over, by("ada"), undefined, 10_000));
    expect(rich.job).toMatchObject({ status: "verified", work: { turned_down: [], debts: [] } });
    expect(rich.postings.slice(2)).toEqual(payout);
    expect(rich.postings[0]).toEqual({ account: "user:ada", cents: -500, reason: "charge" });
  });

  it("is owed as far as the wallet does not hold it, and paid to the cent whenever it holds some", () => {
    const over = led({ ...inReview(), attempt_count: 2 }, REJECT);
    const poor = decided(step(over, by("ada"), undefined, 200));
    expect(marketWork(poor.job)?.debts).toEqual([{ account: "bob", price_cents: 500, paid_cents: 200 }]);
    expect(poor.history[0]?.note).toContain("200 paid, since the sender's wallet held no more, and 300 owed");
    const nothing = decided(step(poor.job, { type: "show", comment_id: null })).job;
    expect(step(nothing, { type: "settle" }, undefined, 0).kind).toBe("unchanged");
    const more = decided(step(nothing, { type: "settle" }, undefined, 50));
    const all = decided(step(more.job, { type: "settle" }, undefined, 10_000));
    expect(marketWork(all.job)?.debts).toEqual([]);
    const postings = [...poor.postings, ...more.postings, ...all.postings];
    for (const part of [poor, more, all]) expect(summed(part.postings)).toBe(0);
    for (const [account, cents] of [
      ["user:ada", -500],
      ["user:bob", 350],
      ["fees", 150],
      [`escrow:${ID}`, 0],
    ] as const)
      expect(balanceOf(account, postings)).toBe(cents);
    expect(step(all.job, { type: "settle" }, undefined, 10_000).kind).toBe("unchanged");
  });

  it("is owed whole by a wallet that is below zero", () => {
    const over = led({ ...inReview(), attempt_count: 2 }, REJECT);
    const { job, postings } = decided(step(over, by("ada"), undefined, -300));
    expect([marketWork(job)?.debts, postings]).toEqual([[{ account: "bob", price_cents: 500, paid_cents: 0 }], []]);
  });

  /** Bob's pull request is turned down, and carl has handed in one of their own. */
  const twoWorkers = (): Job =>
    led(
      again(led(inReview(), REJECT)),
      { type: "accept", agent_id: "a2" },
      { type: "submit", agent_id: "a2", result: work() },
      { ...opened(), number: 9 } as Command,
    );

  it("is paid from the wallet while another's pull request is with the sender, which stays as it is", () => {
    const two = twoWorkers();
    expect(two).toMatchObject({ status: "submitted", pull_request: { number: 9 } });
    const { job, postings } = decided(step(two, by("ada"), undefined, 10_000));
    expect(job).toMatchObject({
      status: "submitted",
      merged_at: null,
      work: { worker: { account: "carl" }, turned_down: [] },
    });
    expect(balanceOf("user:ada", postings)).toBe(-500);
    expect(balanceOf("user:bob", postings)).toBe(350);
    const both = decided(step(job, APPROVE));
    expect(balanceOf("user:carl", both.postings)).toBe(350);
    expect(step(both.job, by("ada"), undefined, 10_000).kind).toBe("unchanged");
  });

  it("is paid though another's work was paid before, and though a later attempt has failed", () => {
    const paid = led(twoWorkers(), APPROVE);
    expect(balanceOf("user:bob", decided(step(paid, by("ada"), undefined, 10_000)).postings)).toBe(350);
    const failed = led(twoWorkers(), REJECT);
    expect(failed).toMatchObject({
      status: "failed",
      work: { turned_down: [{ account: "bob" }, { account: "carl" }] },
    });
    const one = decided(step(failed, by("ada"), undefined, 10_000));
    expect(balanceOf("user:bob", one.postings)).toBe(350);
    const other = decided(step(one.job, { ...by("ada"), pull_request: 9 } as Command, undefined, 10_000));
    expect(balanceOf("user:carl", other.postings)).toBe(350);
  });

  it.each(["bob", "journeyman[bot]", null])("pays nobody for a merge by %s", (login) => {
    const failed = led({ ...inReview(), attempt_count: 2 }, REJECT);
    const { postings } = decided(step(failed, by(login), undefined, 10_000));
    expect(postings).toEqual([]);
  });

  it("goes by GitHub's number of who merges, not by a name", () => {
    const failed = led({ ...inReview(), attempt_count: 2 }, REJECT);
    const renamed = { ...by("bob"), by_id: PEOPLE.ada } as Command;
    expect(decided(step(failed, renamed, undefined, 10_000)).postings).not.toEqual([]);
    const nameless = { type: "merged", pull_request: 8, by: "ada", at: T0 + 9 } as const;
    expect(decided(step(failed, nameless, undefined, 10_000)).postings).toEqual([]);
    expect(led(inReview(), nameless).status).toBe("submitted");
  });
});
