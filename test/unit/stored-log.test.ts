/** Which lines are kept of a log from outside, and which attempt's log it is. */
import { describe, expect, it } from "vitest";
import { type LogLine, MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import type { Job } from "../../src/domain/job/job.ts";
import {
  bounded,
  cleanLines,
  cleanLog,
  logNumberAfter,
  logNumberOfBefore,
  MAX_LOG_CHARACTERS,
} from "../../src/domain/job/stored-log.ts";
import type { Appended } from "../../src/engine/ports/job-log.ts";
import { reportLines } from "../../src/http/dialects/runs/report-lines.ts";
import { begin, briefPushed, led, runChanged, work } from "./job-fixtures.ts";

const line = (seq: number, text = `l${seq}`): LogLine => ({ seq, at: "2026-01-01T00:00:00Z", level: "info", text });
const lines = (from: number, to: number, text?: string): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index, text));

const running = (): Job => led(begin(), briefPushed(), runChanged());
const handedIn = (): Job =>
  led(running(), { type: "hand-in", old_workflow: false, run_id: 500, attempt: 1, result: work() });

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

  it("is all there where it comes in pieces: no piece is cut", () => {
    expect(cleanLines(lines(1, 200, "x".repeat(4_000)))).toHaveLength(200);
  });
});

describe("the number of a log", () => {
  it("is raised by each run and attempt of one, and by nothing else", () => {
    const first = begin();
    expect(logNumberAfter(null, first)).toBe(0);
    expect(logNumberAfter({ job: first, log_nth: 0 }, running())).toBe(1);
    expect(logNumberAfter(null, running())).toBe(1);
    const known = { job: running(), log_nth: 3 };
    expect(logNumberAfter(known, handedIn())).toBe(3);
    expect(logNumberAfter(known, led(running(), runChanged({ status: "completed", conclusion: "success" })))).toBe(3);
    expect(logNumberAfter(known, led(running(), runChanged({ attempt: 2 })))).toBe(4);
    expect(logNumberAfter(known, first)).toBe(3);
  });

  it("counts in a record of before the run that is under way, whose lines were in memory alone", () => {
    expect(logNumberOfBefore(begin(), 0, false)).toBe(0);
    expect(logNumberOfBefore(running(), 0, false)).toBe(1);
    expect(logNumberOfBefore(running(), 2, true)).toBe(3);
    // as it is written today
    expect(logNumberOfBefore(running(), 1, false)).toBe(1);
    expect(logNumberOfBefore(handedIn(), 2, true)).toBe(2);
  });
});

describe("lines of a running job", () => {
  const report = async (job: Job, told: readonly LogLine[]) => {
    const appended: unknown[] = [];
    const append = async (...given: unknown[]): Promise<Appended> => {
      appended.push(given);
      return { last: 7, added: true };
    };
    return { ...(await reportLines({ append }, { job, log_nth: 3 }, told)), appended };
  };

  it("go to the log of their run, redacted, however they come", async () => {
    const job = running();
    expect(await report(job, [line(1, `a ghs_${"x".repeat(40)} b`)])).toEqual({
      ...{ received: 7, added: true },
      appended: [[job.id, 3, [line(1, "a [secret] b")]]],
    });
  });

  it("are known once the result is handed in, and are nobody's where no run works", async () => {
    expect(await report(handedIn(), lines(4, 6))).toEqual({ received: 6, added: false, appended: [] });
    expect(await report(begin(), lines(1, 2))).toEqual({ received: 0, added: false, appended: [] });
  });
});
