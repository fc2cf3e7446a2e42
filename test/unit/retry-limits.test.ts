/** `/job retry` with limits of its own: how it is read, who may ask for it, and what it changes. */
import { describe, expect, it, test } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { Decision } from "../../src/domain/job/decision.ts";
import type { RaisedLimits } from "../../src/domain/job/job.ts";
import { namedLimits } from "../../src/domain/job/raised-limits.ts";
import type { Refusal } from "../../src/domain/job/refusal.ts";
import { briefFiles } from "../../src/github/effects/brief.ts";
import { NO_CONTEXT } from "../../src/github/effects/brief-context.ts";
import { readSlashCommand } from "../../src/github/events/slash-command.ts";
import { statusComment } from "../../src/github/render/status-comment.ts";
import { ADA, begin, briefPushed, led, resultRead, runChanged, settings, step } from "./job-fixtures.ts";

describe("what stands behind /job retry", () => {
  test.each([
    ["/job retry --limit 10.00", { verb: "retry", raised: { cost_cents: 1_000 } }],
    ["/job retry --limit=$7.5", { verb: "retry", raised: { cost_cents: 750 } }],
    ["/job retry abcd1234 --limit 10", { verb: "retry", job: "abcd1234", raised: { cost_cents: 1_000 } }],
    ["/job Retry \u2014limit 10", { verb: "retry", raised: { cost_cents: 1_000 } }],
    ["/job retry --minutes 60 --turns 120", { verb: "retry", raised: { minutes: 60, turns: 120 } }],
    ["/job retry --limit 10\n\nThanks!", { verb: "retry", raised: { cost_cents: 1_000 } }],
  ])("%s is read", (comment, command) => {
    expect(readSlashCommand(comment)).toEqual(command);
  });

  test.each([
    "/job retry --limit",
    "/job retry --limit much",
    "/job retry --limit 0",
    "/job retry --limit 1000.01",
    "/job retry --minutes 351",
    "/job retry --turns 1e2",
    "/job retry --cost 5",
    "/job retry --limit 10 and be quick",
  ])("%s is answered with what it takes", (comment) => {
    expect(readSlashCommand(comment)).toMatchObject({
      verb: "mistaken",
      sentence: expect.stringContaining("`/job retry --limit 10.00`"),
    });
  });

  test.each([
    ["/job retry the upload --limit is ignored", "mistaken"],
    ["/job retry <!-- again -->", "retry"],
    ["/job -- retry --limit 10", "run"],
    ["/job add --limit to retry", "run"],
  ])("%s is %s", (comment, verb) => {
    expect(readSlashCommand(comment)).toMatchObject({ verb });
  });
});

const FAILED: readonly Command[] = [1, 2].flatMap((attempt): Command[] => [
  briefPushed(1, attempt, `brief${attempt}`),
  runChanged({ id: 500 + attempt }, `brief${attempt}`),
  runChanged({ id: 500 + attempt, status: "completed", conclusion: "success" }, `brief${attempt}`),
  resultRead({ outcome: "limit", reason: "Stopped before the cost limit.", body: "I wrote half of it." }, 1, attempt),
]);

function refusalOf(decision: Decision): Refusal {
  if (decision.kind !== "refused") throw new Error(`expected a refusal, got ${decision.kind}`);
  return decision.refusal;
}

const retry = (raised: RaisedLimits, by_admin = false): Command => ({
  type: "retry",
  by: ADA,
  comment_id: 9,
  raised,
  by_admin,
});

describe("a job that a limit has ended", () => {
  const failed = led(begin(), ...FAILED);

  it("has failed, and says what was done", () => {
    expect(failed).toMatchObject({ status: "failed", failure: "Stopped before the cost limit." });
    expect(failed.rounds.at(-1)?.did).toBe("Stopped before the cost limit.\n\nI wrote half of it.");
    expect(statusComment(failed)).toContain("`/job retry --limit 10.00`");
  });

  it("goes on with more when an admin says so, for that round", () => {
    const next = led(failed, retry({ cost_cents: 1_000 }, true));
    expect(next).toMatchObject({ status: "queued", round: 2, raised: { cost_cents: 1_000 } });
    expect(statusComment(next)).toContain("Limits of this round: $10.00.");
    const { files } = briefFiles(
      next,
      { round: 2, attempt: 1 },
      {
        base: { branch: "main", sha: "base" },
        settings: settings(),
        present: [],
        failed_checks: [],
        reviews: [],
        context: NO_CONTEXT,
        llm: { provider: "anthropic", model: "m", max_tokens: null, notes: [] },
      },
      { publicUrl: null },
    );
    expect(JSON.parse(String(files[1]?.bytes))).toMatchObject({
      limits: { cost_cents: 1_000, minutes: 30, turns: 60 },
      history: [{ did: expect.stringContaining("I wrote half of it.") }],
    });
    const again = led({ ...next, status: "failed" }, { type: "retry", by: ADA, comment_id: 10 });
    expect(again.raised).toBeNull();
  });

  it("is given the time that it was promised", () => {
    const next = led(failed, retry({ minutes: 100 }, true), briefPushed(2, 1, "brief2"));
    expect(next.time_limit_seconds).toBe((100 + 15) * 60);
  });

  it("is refused more than the settings allow to somebody who only may write", () => {
    const refused = refusalOf(step(failed, retry({ cost_cents: 501 })));
    expect(refused).toMatchObject({ code: "forbidden", sentence: expect.stringContaining("allow $5.00") });
    expect(refusalOf(step(failed, retry({ turns: 61 }))).sentence).toContain("`--turns`");
  });

  it("is held to what the settings allow now, which may be less than it began with", () => {
    const allowed = { cost_cents: 100, minutes: 30, turns: 200 };
    const asked = { ...retry({ cost_cents: 400 }), allowed } as Command;
    expect(refusalOf(step(failed, asked)).sentence).toContain("allow $1.00");
    expect(led(failed, { ...retry({ turns: 150 }), allowed } as Command).raised).toEqual({ turns: 150 });
  });

  it("may be given less by anybody who may command", () => {
    expect(DEFAULT_REPOSITORY_SETTINGS.limits.cost_cents).toBe(500);
    expect(led(failed, retry({ cost_cents: 200 }))).toMatchObject({ round: 2, raised: { cost_cents: 200 } });
  });
});

test("limits are named for people", () => {
  expect(namedLimits({ cost_cents: 1_050, minutes: 1, turns: 2 })).toBe("$10.50, 1 minute, 2 turns");
});
