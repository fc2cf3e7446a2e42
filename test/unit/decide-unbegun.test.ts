/** What is booked of attempts under a budget whose run was cancelled, or told of its cost too late. */
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/contracts/result.ts";
import type { Command } from "../../src/domain/job/command.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Decision } from "../../src/domain/job/decision.ts";
import type { Job } from "../../src/domain/job/job.ts";
import type { LineFacts } from "../../src/domain/job/line.ts";
import { ADA, briefPushed, decided, draft, resultRead, runChanged, T0, work } from "./job-fixtures.ts";

const CAP = 300;
const CANCEL: Command = { type: "cancel", by: ADA };
const QUEUED = runChanged({ status: "queued" });
const BEGUN = runChanged();
const over = (conclusion: string, more = {}) => runChanged({ status: "completed", conclusion, ...more });
const unbegun = (conclusion: string, more = {}): Command => ({
  ...over(conclusion, more),
  ...{ fresh: true, never_began: true },
});
/** GitHub was asked, and does not say what became of its jobs. */
const asked = (conclusion: string): Command => ({ ...over(conclusion), ...{ fresh: true } });
const handIn = (cost_cents: number | null): Command => ({
  ...{ type: "hand-in", old_workflow: false, run_id: 500, attempt: 1 },
  result: work({ usage: { ...NO_USAGE, turns: 3 }, cost_cents }),
});

const line: LineFacts = {
  limits: {},
  places: [],
  budgets: {
    ...{ now: T0, cap_cents: CAP, accounts: new Map() },
    repository: { limits: { day_cents: 1_000 }, spent: { day_cents: 0, month_cents: 0, jobs_of_day: 0 } },
  },
};

const step = (job: Job | null, command: Command): Decision =>
  decide(job, command, { now: T0, available_cents: 0, line });

/** Everything that is booked on the way, and the job at the end. */
function play(...commands: readonly Command[]) {
  let job: Job | null = null;
  const cents: number[] = [];
  for (const command of [{ type: "create", draft: draft() } satisfies Command, ...commands]) {
    const decision = step(job, command);
    if (decision.kind !== "decided") continue;
    job = decision.job;
    cents.push(...(decision.spending ?? []).map((row) => row.cents));
  }
  if (job === null) throw new Error("there is no job");
  return { job, cents };
}

describe("a run that was cancelled before anybody saw it begin", () => {
  it("counts with all that was reserved, until its own jobs tell that it never began", () => {
    const { job, cents } = play(briefPushed(), QUEUED, CANCEL, over("cancelled"));
    expect(cents).toEqual([CAP]);
    const news = decided(step(play(briefPushed(), QUEUED, CANCEL).job, over("cancelled")));
    expect(news.effects.map(({ effect }) => effect)).toEqual([{ type: "read-run", run_id: 500 }]);
    expect(decided(step(job, unbegun("cancelled"))).spending).toMatchObject([{ cents: 0, known: true }]);
  });

  it.each(["skipped", "startup_failure"])("may be %s as well", (conclusion) => {
    expect(play(briefPushed(), CANCEL, unbegun(conclusion)).cents).toEqual([CAP, 0]);
  });

  it.each(["timed_out", "stale", "failure", "success", "neutral"])("is no run that is %s", (conclusion) => {
    expect(play(briefPushed(), CANCEL, unbegun(conclusion)).cents).toEqual([CAP]);
  });

  it("keeps its cap where GitHub says nothing of its jobs, and is asked about once", () => {
    const { job, cents } = play(briefPushed(), CANCEL, asked("cancelled"));
    expect(cents).toEqual([CAP]);
    for (const again of [over("cancelled"), unbegun("cancelled")]) expect(step(job, again).kind).toBe("unchanged");
  });

  it("is none that was seen at work, whatever comes after it", () => {
    expect(play(briefPushed(), QUEUED, CANCEL, BEGUN, unbegun("cancelled")).cents).toEqual([CAP]);
  });

  it("is none that somebody started again on GitHub and cancelled, since its first attempt has its cost", () => {
    const again = [runChanged({ status: "queued", attempt: 2 }), unbegun("cancelled", { attempt: 2 })];
    expect(play(briefPushed(), QUEUED, CANCEL, BEGUN, over("cancelled"), ...again).cents).toEqual([CAP]);
  });

  it("counts with all that was reserved where its brief is pushed after the word to stop, until its end is known", () => {
    expect(play(CANCEL).cents).toEqual([]);
    expect(play(CANCEL, briefPushed(), unbegun("cancelled")).cents).toEqual([CAP, 0]);
  });
});

describe("what a run tells after its attempt was booked", () => {
  it("changes nothing of a job that was cancelled before it began", () => {
    const { job, cents } = play(briefPushed(), QUEUED, CANCEL);
    expect(cents).toEqual([CAP]);
    for (const told of [1, CAP * 10, null]) expect(step(job, handIn(told)).kind).toBe("refused");
    expect(step(job, resultRead({ cost_cents: CAP * 10 })).kind).toBe("unchanged");
  });

  it("changes nothing of an attempt that another has followed", () => {
    const { job, cents } = play(briefPushed(), BEGUN, over("cancelled"));
    expect(cents).toEqual([CAP]);
    expect(job).toMatchObject({ status: "queued", attempt: 2 });
    expect(step(job, handIn(CAP * 10)).kind).toBe("refused");
    expect(step(job, resultRead({ cost_cents: CAP * 10 })).kind).toBe("unchanged");
  });

  it("lowers the booking of the attempt's end, where it came before that", () => {
    expect(play(briefPushed(), BEGUN, handIn(7), over("cancelled")).cents).toEqual([7]);
  });
});
