/** A job's log as a stream: what a reader has buffered, and where it continues. */
import { getDefaultHighWaterMark, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/contracts/log-line.ts";
import type { Clock } from "../../src/engine/ports/clock.ts";
import type { NewestLog } from "../../src/engine/ports/job-log.ts";
import type { StoredJob } from "../../src/engine/ports/jobs.ts";
import { Channel } from "../../src/job-log/channel.ts";
import { entriesAfter, idOf, resumeAt } from "../../src/job-log/entries.ts";
import { Follower } from "../../src/job-log/follower.ts";
import { begin, briefPushed, led, runChanged, T0 } from "./job-fixtures.ts";

const LINES = 2_000;
const LONGEST_LINE = 4_000;
/** What a stream takes before it asks for a pause, and as much again for what was on its way. */
const BOUND = 2 * getDefaultHighWaterMark(false);

interface Seen {
  readonly stored: StoredJob;
  readonly log: NewestLog | null;
}

/** A job and its log, if it has lines. */
const seen = ({ lines = [], ...change }: Partial<StoredJob> & { lines?: readonly LogLine[] } = {}): Seen => {
  const stored: StoredJob = {
    ...{ job: begin(), version: 1, history: [], postings: [], spending: [], effects: [], log_nth: 0 },
    ...change,
  };
  return { stored, log: lines.length === 0 ? null : { nth: stored.log_nth, lines } };
};

const row = (seq: number, at: number) => ({
  ...{ seq, at, event: `e${seq}`, from: null, to: "queued" as const, by: null, note: null },
});
const line = (seq: number, at: string, text = `l${seq}`) => ({ seq, at, level: "info" as const, text });

const long = seen({
  lines: Array.from({ length: LINES }, (_, index) => line(index + 1, "2020-01-01T00:00:00Z", "x".repeat(LONGEST_LINE))),
  log_nth: 1,
});

const ids = (of: Seen, after: string | null = null): string[] =>
  [...entriesAfter(of, resumeAt(of, after))].map(({ position }) => idOf(position));

const clock: Clock = { now: () => T0, at: () => () => {} };
const reader = { account: "ada", after: null, may: () => true, stands: () => true };

describe("the order of a log", () => {
  it("is that of time, with lines that know no time at once", () => {
    const iso = (at: number): string => new Date(at).toISOString();
    const lines = [line(1, iso(T0 + 10)), line(2, "at noon"), line(3, iso(T0 + 30))];
    const one = seen({ history: [row(1, T0), row(2, T0 + 20), row(3, T0 + 40)], lines, log_nth: 1 });
    expect(ids(one)).toEqual(["1.0.0", "1.1.1", "1.1.2", "2.1.2", "2.1.3", "3.1.3"]);
    for (const [index, id] of ids(one).entries()) expect(ids(one, id)).toEqual(ids(one).slice(index + 1));
  });

  it("goes on with the log of the next attempt, whatever it numbers", () => {
    const one = seen({ history: [row(1, T0)], lines: [line(1, "2020-01-01T00:00:00Z")], log_nth: 2 });
    expect(ids(one, "1.1.900")).toEqual(["1.2.1"]);
  });

  it("shows the earlier log until the next attempt tells something, and then goes on with that", () => {
    const job = led(begin(), briefPushed(), runChanged());
    const earlier = seen({ job, history: [row(1, T0)], lines: [line(1, "2020-01-01T00:00:00Z")], log_nth: 1 });
    const next = { ...earlier, stored: { ...earlier.stored, log_nth: 2 } };
    expect(ids(next)).toEqual(["0.1.1", "1.1.1"]);
    expect(ids(next, "1.1.1")).toEqual([]);
    const lines = Array.from({ length: 5 }, (_, index) => line(index + 1, "2020-01-01T00:00:00Z"));
    expect(ids({ ...next, log: { nth: 2, lines } }, "1.2.3")).toEqual(["1.2.4", "1.2.5"]);
    // lines of an attempt that never was: that is no id of ours
    expect(ids(earlier, "1.2.3")).toEqual(["0.1.1", "1.1.1"]);
  });

  it("goes on where rows between are kept no longer", () => {
    const one = seen({ history: [row(1, T0), row(600, T0 + 1), row(601, T0 + 2)] });
    expect(ids(one, "300.0.0")).toEqual(["600.0.0", "601.0.0"]);
  });
});

describe("a reader that does not read", () => {
  it("has a bounded buffer, whatever the length of the log, and gets all of it in the end", async () => {
    let taken = 0;
    const waiting: (() => void)[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length;
        waiting.push(done);
      },
    });
    const follower = new Follower({ stream, reader, position: resumeAt(long, null), clock, left: () => {} });
    const channel = new Channel(long.stored, long.log);
    follower.follow(channel);
    for (let version = 2; version < 50; version++) {
      channel.update({ ...long.stored, version }, null);
      follower.pour(channel);
    }
    expect(stream.writableLength).toBeLessThan(BOUND);
    let most = 0;
    while (waiting.length > 0) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, stream.writableLength);
    }
    expect(most).toBeLessThan(BOUND);
    expect(taken).toBeGreaterThan(LINES * LONGEST_LINE);
  });
});
