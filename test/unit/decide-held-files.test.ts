import { describe, expect, it } from "vitest";
import type { RepositorySettings } from "../../src/contracts/settings.ts";
import type { Command } from "../../src/domain/job/command.ts";
import { heldFiles, isSenderAsked, type Job, marketWork } from "../../src/domain/job/job.ts";
import { SENDER_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { isWanted } from "../../src/domain/job/wanted-effects.ts";
import {
  ADA,
  begin,
  briefPushed,
  decided,
  effectsOf,
  facts,
  judged,
  led,
  opened,
  settings,
  step,
  work,
} from "./job-fixtures.ts";

type RunChecks = RepositorySettings["market"]["run_checks"];

const submission = { parcel: "p", files: ["test/x.test.js"], attachments: [], pull_request: null } as const;
const SUBMIT: Command = { type: "submit", agent_id: "a1", result: work(), submission };
const SHOWN: Command = {
  type: "files-shown",
  round: 1,
  attempt: 1,
  sha: "apart",
  url: "https://github.example/commit/apart",
};
const RUN: Command = { type: "run-checks", by: { account: "carl", login: "carl" }, comment_id: 71 };
const APPROVE: Command = { type: "approve", account: "ada", by: ADA, comment_id: null };
const REJECT: Command = { type: "reject-work", account: "ada", by: ADA, reason: "No.", comment_id: null };

const pushedWith = (run_checks: RunChecks): Command =>
  ({ ...briefPushed(), settings: { ...settings(), market: { enabled: true, run_checks } } }) as Command;

const accepted = (): Job =>
  led(
    begin({ runner: "market", price_cents: 500 }, 10_000),
    { type: "pull", agent_id: "a1", account: "bob" },
    { type: "accept", agent_id: "a1" },
  );

const submitted = (run_checks: RunChecks): Job => led(accepted(), pushedWith(run_checks), SUBMIT);
const shown = (run_checks: RunChecks): Job => led(submitted(run_checks), SHOWN);
const asked = (run_checks: RunChecks = "ask", verdict: "pass" | "unsure" | "none" = "pass"): Job =>
  led(shown(run_checks), judged(verdict, undefined, "apart"));

const RUNS = ["deliver-files", "open-pull-request"];

describe("a market worker's files", () => {
  it.each(["ask", "after_judge"] as const)("come to no branch by themselves: %s", (run_checks) => {
    const decision = step(led(accepted(), pushedWith(run_checks)), SUBMIT);
    expect(effectsOf(decision)).toEqual(["show-files"]);
    const { job } = decided(decision);
    expect(isWanted({ type: "deliver-files", round: 1, attempt: 1 }, job)).toBe(false);
    expect(isWanted({ type: "open-pull-request", round: 1 }, job)).toBe(false);
  });

  it("come to it at once where the owner has taken the risk", () => {
    const decision = step(led(accepted(), pushedWith("always")), SUBMIT);
    expect(effectsOf(decision)).toEqual(RUNS);
    expect(marketWork(decided(decision).job)?.delivery).toEqual(submission);
  });

  it("wait for the settings where they come before them, and never run on those of an earlier attempt", () => {
    const early = led({ ...accepted(), settings: settings() }, SUBMIT);
    expect(heldFiles(early)).toEqual({ sha: null, url: null });
    expect(effectsOf(step(early, pushedWith("always")))).toEqual(expect.arrayContaining(RUNS));
    expect(effectsOf(step(early, pushedWith("ask")))).not.toContain("deliver-files");
  });

  it("are judged by reading, at the commit that shows them", () => {
    const decision = decided(step(submitted("ask"), SHOWN));
    expect(decision.effects.map(({ effect }) => effect)).toEqual([
      { type: "judge", round: 1, attempt: 1, sha: "apart" },
    ]);
    expect(led(decision.job, judged("fail", ["It reads secrets."], "apart"))).toMatchObject({
      status: "queued",
      attempt: 2,
    });
  });

  it.each(["pass", "unsure", "none"] as const)("are left to the sender after a word of the judge's: %s", (verdict) => {
    const job = asked("ask", verdict);
    expect(job).toMatchObject({ status: "submitted", work: { delivery: { held: { sha: "apart" } } } });
    expect(job.reasons[0]?.text).toContain("decides whether its files may run");
    expect(isSenderAsked(job)).toBe(true);
  });

  it("run after the judge has passed them, where the settings say so, and not after an unsure or a missing one", () => {
    const passed = step(shown("after_judge"), judged("pass", undefined, "apart"));
    expect(effectsOf(passed)).toEqual(expect.arrayContaining(RUNS));
    for (const verdict of ["unsure", "none"] as const) expect(heldFiles(asked("after_judge", verdict))).not.toBeNull();
  });

  it("run when somebody who may lets them, once, and are judged and checked then as any others", () => {
    const decision = step(asked(), RUN);
    expect(effectsOf(decision)).toEqual(expect.arrayContaining(["react", ...RUNS]));
    const { job, history, postings } = decided(decision);
    expect(history).toMatchObject([{ event: "released", by: "carl" }]);
    expect([isSenderAsked(job), postings]).toEqual([false, []]);
    expect(step(job, { ...RUN, comment_id: 72 } as Command).kind).toBe("unchanged");
    const open = led(job, { type: "files-delivered", round: 1, attempt: 1, head_sha: "delivered" }, opened());
    expect(open).toMatchObject({ pull_request: { number: 8 }, head_sha: "finish" });
    const good = led(open, judged("pass"), { type: "observe", facts: facts() });
    expect(good.status).toBe("verified");
  });

  it("run by no word about others that were read before them", () => {
    const again = led(
      asked(),
      { type: "fail", agent_id: "a1", reason: "Sorry." },
      { type: "pull", agent_id: "a1", account: "bob" },
      { type: "accept", agent_id: "a1" },
      { ...pushedWith("ask"), attempt: 2 } as Command,
      SUBMIT,
    );
    expect(step(again, RUN)).toMatchObject({ refusal: { code: "wrong_status" } });
    const sha = "0123456789abcdef0123456789abcdef01234567";
    const other = led(again, { ...SHOWN, attempt: 2, sha } as Command);
    expect(step(other, RUN)).toMatchObject({
      refusal: { sentence: expect.stringContaining("`/job run-checks 0123456789`") },
    });
    expect(step(other, { ...RUN, commit: "apart" } as Command)).toMatchObject({ refusal: { code: "wrong_status" } });
    expect(effectsOf(step(other, { ...RUN, commit: "0123456" } as Command))).toEqual(expect.arrayContaining(RUNS));
  });

  it("approved by no word about others that were read before them", () => {
    const again = led(
      asked(),
      { type: "fail", agent_id: "a1", reason: "Sorry." },
      { type: "pull", agent_id: "a1", account: "bob" },
      { type: "accept", agent_id: "a1" },
      { ...pushedWith("ask"), attempt: 2 } as Command,
      SUBMIT,
      { ...SHOWN, attempt: 2, sha: "0123456789abcdef0123456789abcdef01234567" } as Command,
      { ...judged("unsure"), attempt: 2, sha: "0123456789abcdef0123456789abcdef01234567" } as Command,
    );
    expect(step(again, APPROVE)).toMatchObject({
      refusal: { code: "wrong_status", sentence: expect.stringContaining("`/job approve 0123456789`") },
    });
    expect(step(again, { ...APPROVE, commit: "fedcba9" } as Command)).toMatchObject({
      refusal: { code: "wrong_status" },
    });
    expect(led(again, { ...APPROVE, commit: "0123456" } as Command).status).toBe("verified");
  });

  it("may be let run before the judge has spoken, and not when the time to object is over", () => {
    expect(effectsOf(step(submitted("ask"), RUN))).toEqual(expect.arrayContaining(RUNS));
    const job = asked();
    const late = (job.submitted_at ?? 0) + SENDER_LIMIT_MS;
    expect(step(job, RUN, late)).toMatchObject({ refusal: { code: "wrong_status" } });
  });

  it("are paid for by the sender's word or silence, and still run nowhere", () => {
    const approved = decided(step(asked(), APPROVE));
    const silent = decided(
      step(asked(), { type: "look", forced: true }, (asked().submitted_at ?? 0) + SENDER_LIMIT_MS),
    );
    for (const { job, postings, effects } of [approved, silent]) {
      expect(job).toMatchObject({ status: "verified", merge: { state: "off", why: "its files were never let run" } });
      expect(postings).toHaveLength(3);
      for (const { effect } of effects) expect(RUNS).not.toContain(effect.type);
    }
    expect(step(approved.job, RUN)).toMatchObject({ refusal: { code: "wrong_status" } });
  });

  it("go with the attempt when the sender sends them back", () => {
    expect(led(asked(), REJECT)).toMatchObject({ status: "queued", work: { delivery: null } });
  });

  it("of a second attempt hold back what the pull request of the first says", () => {
    const again: Job = { ...asked(), pull_request: { number: 8, url: "u" }, head_sha: "old" };
    expect(step(again, { type: "observe", facts: facts({ head_sha: "old" }) }).kind).toBe("unchanged");
    expect(isWanted({ type: "read-facts", runs: [] }, again)).toBe(false);
  });

  it("are none where the work is words, or a pull request of the worker's own, which GitHub fences", () => {
    for (const given of [null, { ...submission, files: [], pull_request: 9 }]) {
      const job = led(accepted(), pushedWith("ask"));
      const own: Command =
        given === null ? { ...SUBMIT, submission: undefined as never } : { ...SUBMIT, submission: given };
      expect(effectsOf(step(job, own))).toEqual(["open-pull-request"]);
    }
    expect(step(led(accepted(), pushedWith("ask")), RUN)).toMatchObject({ refusal: { code: "wrong_status" } });
  });
});
