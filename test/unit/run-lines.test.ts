/** The store of live log lines: what it accepts, what it keeps, and how it changes a job. */
import { describe, expect, it } from "vitest";
import { type LogLine, MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { bounded, cleanLog, MAX_LOG_CHARACTERS, nextLog } from "../../src/domain/job/stored-log.ts";
import type { StoredJob } from "../../src/engine/ports/jobs.ts";
import { createRunLines } from "../../src/job-log/run-lines.ts";
import { begin, briefPushed, jobId, led, runChanged, work } from "./job-fixtures.ts";

const line = (seq: number, text = `l${seq}`): LogLine => ({ seq, at: "2026-01-01T00:00:00Z", level: "info", text });
const lines = (from: number, to: number, text?: string): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index, text));

const running = (): Job => led(begin(), briefPushed(), runChanged());
const stored = (job: Job = running(), log: readonly LogLine[] = [], log_nth = 0): StoredJob => ({
  ...{ job, version: 1, history: [], postings: [], spending: [], effects: [], log, log_nth },
});
const texts = ({ log }: StoredJob): string[] => log.map(({ text }) => text);

describe("lines of a running job", () => {
  it("are taken once each, in their order, and holes in the middle are no lines", () => {
    const harness = createRunLines();
    const job = stored();
    expect(harness.add(job, lines(1, 3))).toBe(3);
    expect(harness.add(job, lines(2, 3))).toBe(3);
    expect(harness.add(job, [line(3), line(7), line(5), line(8)])).toBe(8);
    expect(harness.viewed(job).log.map(({ seq }) => seq)).toEqual([1, 2, 3, 7, 8]);
  });

  it("begin at the first, so that a sender who does not know of a restart begins again", () => {
    const harness = createRunLines();
    expect(harness.add(stored(), lines(4, 9))).toBe(0);
    expect(harness.viewed(stored()).log).toEqual([]);
    expect(harness.add(stored(), lines(1, 9))).toBe(9);
  });

  it("are redacted, however they come", () => {
    const harness = createRunLines();
    harness.add(stored(), [line(1, `a ghs_${"x".repeat(40)} b`)]);
    expect(texts(harness.viewed(stored()))).toEqual(["a [secret] b"]);
  });

  it("have the number that they will be stored under, after an earlier attempt's log too", () => {
    const harness = createRunLines();
    const earlier = [line(1, "earlier"), line(2, "earlier too")];
    const job = stored(running(), earlier, 3);
    harness.add(job, lines(1, 5));
    const view = harness.viewed(job);
    expect([view.log_nth, texts(view)]).toEqual([4, ["l1", "l2", "l3", "l4", "l5"]]);
    expect(nextLog({ log: earlier, log_nth: 3 }, lines(1, 9)).log_nth).toBe(4);
    expect(nextLog({ log: [], log_nth: 3 }, lines(1, 9)).log_nth).toBe(4);
    expect(nextLog({ log: lines(1, 5), log_nth: 4 }, lines(1, 9)).log_nth).toBe(4);
  });

  it("are the run's alone: another attempt begins anew, and what is over or handed in has none", () => {
    const harness = createRunLines();
    harness.add(stored(), lines(1, 5));
    const again = stored(led(running(), runChanged({ attempt: 2 })));
    expect(harness.viewed(again)).toBe(again);
    expect(harness.add(again, lines(1, 2))).toBe(2);
    const handed = stored(
      led(running(), { type: "hand-in", old_workflow: false, run_id: 500, attempt: 1, result: work() }),
    );
    expect(harness.viewed(handed)).toBe(handed);
    expect(harness.add(handed, lines(4, 6))).toBe(6);
    const queued = stored(begin());
    expect([harness.add(queued, lines(1, 2)), harness.viewed(queued)]).toEqual([0, queued]);
  });

  it("are let go with the commit that ends their run", () => {
    const harness = createRunLines();
    harness.add(stored(), lines(1, 5));
    harness.committed(stored());
    expect(harness.viewed(stored()).log).toHaveLength(5);
    harness.committed(stored(led(running(), runChanged({ status: "completed", conclusion: "cancelled" }))));
    expect(harness.viewed(stored()).log).toEqual([]);
  });

  it("stay within twice the bounds, whatever comes, and the newest stay", () => {
    const harness = createRunLines();
    const job = stored();
    const long = "x".repeat(4_000);
    for (let from = 1; from <= 10 * MAX_LOG_LINES; from += 200) harness.add(job, lines(from, from + 199));
    expect(harness.viewed(job).log.length).toBeLessThanOrEqual(2 * MAX_LOG_LINES);
    for (let from = 10 * MAX_LOG_LINES + 1; from <= 12 * MAX_LOG_LINES; from += 200)
      expect(harness.add(job, lines(from, from + 199, long))).toBe(from + 199);
    const characters = harness.viewed(job).log.reduce((sum, { text }) => sum + text.length, 0);
    expect(characters).toBeLessThanOrEqual(2 * MAX_LOG_CHARACTERS + 200 * 4_100);
    expect(harness.viewed(job).log.at(-1)?.seq).toBe(12 * MAX_LOG_LINES);
  });

  it("of all jobs together stay within a bound: those that were quiet the longest go", () => {
    const harness = createRunLines();
    const jobs = Array.from({ length: 100 }, (_, index) =>
      stored({ ...running(), id: jobId(`job${String(index).padStart(5, "0")}`) }),
    );
    for (const job of jobs) harness.add(job, lines(1, 130, "x".repeat(4_000)));
    const kept = jobs.map((job) => harness.viewed(job).log.length > 0);
    expect([kept[0], kept.at(-1)]).toEqual([false, true]);
    expect(kept.filter((one) => one).length).toBeGreaterThan(50);
  });

  it("tell those who follow, once for each that brings something new, until they leave", () => {
    const harness = createRunLines();
    let told = 0;
    const leave = harness.follow(stored().job.id, () => told++);
    harness.add(stored(), lines(1, 2));
    harness.add(stored(), lines(1, 2));
    harness.add(stored(), lines(3, 4));
    leave();
    harness.add(stored(), lines(5, 6));
    expect(told).toBe(2);
  });
});

describe("a log from outside", () => {
  it("is kept redacted and counting up, and its end where it is too long", () => {
    const secret = `sk-ant-${"k".repeat(30)}`;
    expect(cleanLog([line(2, secret), line(1), line(2), line(5)]).map(({ seq, text }) => [seq, text])).toEqual([
      [2, "[secret]"],
      [5, "l5"],
    ]);
    const long = bounded(lines(1, 1_000, "x".repeat(4_000)));
    expect(long.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(MAX_LOG_CHARACTERS);
    expect(long.at(-1)?.seq).toBe(1_000);
    expect(bounded(lines(1, 3 * MAX_LOG_LINES))).toHaveLength(MAX_LOG_LINES);
  });
});
