/** The logs of jobs beside their records: what lines and commits cost, and what remains after a failure. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LogLine, MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import { NEW_ACTIONS_WORK } from "../../src/domain/job/schema.ts";
import { bounded, MAX_LOG_CHARACTERS } from "../../src/domain/job/stored-log.ts";
import { DAY_MS } from "../../src/engine/sliding-limit.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { assertAsRead } from "./store/as-read.ts";
import { filesIn, inPlace, type LowdbPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, keep, START, sampleJob } from "./store/sample.ts";

const ONE = jobId(1);
const line = (seq: number, text = `line ${seq}`): LogLine => ({
  ...{ seq, at: "2026-01-01T00:00:00Z", level: "info", text },
});
const lines = (from: number, to: number, text?: string): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index, text));
/** As much as is kept of one. */
const fullLog = (): LogLine[] => bounded(lines(1, 1_000, "x".repeat(600)));

/** A disk that counts the bytes and flushes that it is asked for. */
function counting() {
  let bytes = 0;
  let flushes = 0;
  const disk: FileSystem = {
    ...fs,
    fsyncSync: (fd) => {
      flushes += 1;
      fs.fsyncSync(fd);
    },
    writeSync: ((...given: Parameters<typeof fs.writeSync>) => {
      const written = fs.writeSync(...given);
      bytes += written;
      return written;
    }) as FileSystem["writeSync"],
  };
  const since = (): { bytes: number; flushes: number } => {
    const before = { bytes, flushes };
    bytes = 0;
    flushes = 0;
    return before;
  };
  return { disk, since };
}

const logFiles = (place: LowdbPlace): string[] =>
  filesIn(join(place.dir, "jobs")).filter((name) => name.endsWith(".jsonl"));

/** What the next start reads. */
async function assertSame(place: LowdbPlace, log: readonly LogLine[] | undefined): Promise<void> {
  const store = await place.open();
  expect((await store.jobLog.read(ONE))?.lines).toEqual(log);
  await assertAsRead(store.jobs, place.dir);
  await store.close();
}

describe("what lines cost", () => {
  it("is nothing to a commit, which writes as much with a full log as without one", () =>
    inPlace(async (place) => {
      const { disk, since } = counting();
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1));
      await keep(store.jobs, sampleJob(2));
      await store.jobLog.keep(jobId(2), 1, fullLog());
      expect(since().bytes).toBeGreaterThan(MAX_LOG_CHARACTERS);
      await keep(store.jobs, sampleJob(1, { notice: "on" }));
      const without = since();
      for (let count = 0; count < 20; count++) {
        await keep(store.jobs, sampleJob(2, { notice: "on" }));
        expect(since().bytes).toBeLessThan(without.bytes + 10);
      }
      await store.close();
    }));

  it("is a write of themselves and no flush, also after a restart", () =>
    inPlace(async (place) => {
      const { disk, since } = counting();
      for (let start = 0; start < 2; start++) {
        const store = await place.open(undefined, disk);
        if (start === 0) await keep(store.jobs, sampleJob(1));
        since();
        for (let nth = 0; nth < 10; nth++) {
          const first = start * 100 + nth * 10 + 1;
          const told = lines(first, first + 9);
          await store.jobLog.append(ONE, 1, told);
          const rows = told.map((one) => `${JSON.stringify(one)}\n`).join("");
          expect(since()).toEqual({ bytes: Buffer.byteLength(rows), flushes: 0 });
        }
        await store.close();
      }
    }));

  it("is no more than a second write of each in the long run, however long the log grows", () =>
    inPlace(async (place) => {
      const { disk, since } = counting();
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1));
      since();
      let told = 0;
      for (let from = 1; from <= 10 * MAX_LOG_LINES; from += 200) {
        const some = lines(from, from + 199);
        told += Buffer.byteLength(some.map((one) => `${JSON.stringify(one)}\n`).join(""));
        await store.jobLog.append(ONE, 1, some);
      }
      const spent = since();
      expect(spent.bytes).toBeLessThan(2.2 * told);
      expect(spent.flushes).toBeLessThanOrEqual(20);
      await store.close();
    }));
});

describe("a log", () => {
  it("has the file of its newest attempt alone", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 1, lines(1, 3));
      await store.jobLog.append(ONE, 2, lines(1, 2));
      expect(logFiles(place)).toEqual(["00000001.2.jsonl"]);
      await store.jobLog.keep(ONE, 3, lines(1, 9));
      expect(logFiles(place)).toEqual(["00000001.3.jsonl"]);
      await store.close();
      await assertSame(place, lines(1, 9));
    }));

  it("of which a crash has left half a line goes on after the last whole one", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 1, lines(1, 3));
      await store.close();
      fs.appendFileSync(join(place.dir, "jobs", "00000001.1.jsonl"), '{"seq":4,"at":"2026');
      const again = await place.open();
      expect(await again.jobLog.append(ONE, 1, lines(3, 5))).toEqual({ last: 5, added: true });
      await again.close();
      await assertSame(place, lines(1, 5));
    }));

  it("shows what can be read where a line in the middle is damaged", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 1, lines(1, 3));
      await store.close();
      const path = join(place.dir, "jobs", "00000001.1.jsonl");
      fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace('"seq":2', '"seq":"\0'));
      await assertSame(place, [line(1), line(3)]);
    }));

  it("is as it was where the disk is full, and takes the lines again later", () =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 1, lines(1, 3));
      disk.writeSync = ((fd: number, bytes: Buffer, from: number) => {
        fs.writeSync(fd, bytes, from, 7);
        disk.writeSync = () => {
          throw noSpace();
        };
        return 7;
      }) as FileSystem["writeSync"];
      await expect(store.jobLog.append(ONE, 1, lines(4, 5))).rejects.toThrow("Cannot write");
      await expect(store.jobLog.keep(ONE, 1, lines(1, 9))).rejects.toThrow("Cannot write");
      await expect(store.jobLog.append(ONE, 2, lines(1, 2))).rejects.toThrow("Cannot write");
      expect(await store.jobLog.read(ONE)).toEqual({ nth: 1, lines: lines(1, 3) });
      Object.assign(disk, fs);
      expect(await store.jobLog.append(ONE, 1, lines(4, 5))).toEqual({ last: 5, added: true });
      await store.close();
      await assertSame(place, lines(1, 5));
    }));

  it("that is gone from the disk stops no job, and its run begins again", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 1, lines(1, 3));
      await store.close();
      for (const name of logFiles(place)) fs.unlinkSync(join(place.dir, "jobs", name));
      const again = await place.open();
      expect(await again.jobLog.read(ONE)).toBeNull();
      expect(await again.jobLog.append(ONE, 1, lines(4, 5))).toEqual({ last: 0, added: false });
      expect(await again.jobLog.append(ONE, 1, lines(1, 5))).toEqual({ last: 5, added: true });
      await again.close();
      await assertSame(place, lines(1, 5));
    }));

  it("of a job that is not there, and a second one of a job, are swept at the start", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1));
      await store.jobLog.append(ONE, 2, lines(1, 3));
      await store.close();
      const jobs = join(place.dir, "jobs");
      for (const name of ["00000001.1", "00000009.1", "00000001-7"])
        fs.writeFileSync(join(jobs, `${name}.jsonl`), `${JSON.stringify(line(1))}\n`);
      // an attempt of which a crash has left no line
      fs.writeFileSync(join(jobs, "00000001.3.jsonl"), '{"seq"');
      await assertSame(place, lines(1, 3));
      expect(logFiles(place)).toEqual(["00000001.2.jsonl"]);
    }));
});

describe("the log of a record of before", () => {
  const jobs = (place: LowdbPlace, name: string): string => join(place.dir, "jobs", name);
  const run = { id: 5, attempt: 1, url: "https://example.com/5", status: "completed", conclusion: "success" } as const;
  const finished = sampleJob(1, { status: "verified", work: { ...NEW_ACTIONS_WORK, run } });
  const before = lines(1, 3);
  const rows = before.map((one) => `${JSON.stringify(one)}\n`).join("");

  /** A record that names the place of its log, as versions of before wrote it. */
  async function leave(place: LowdbPlace, job = finished): Promise<void> {
    const store = await place.open();
    await keep(store.jobs, job);
    await store.close();
    const dropped = `${JSON.stringify(line(9, "dropped"))}\n`;
    fs.writeFileSync(jobs(place, "00000001-4.jsonl"), `${dropped}${rows}{"seq":`);
    const path = jobs(place, "00000001.json");
    const named = { file: 4, from: dropped.length, to: dropped.length + rows.length };
    fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace('"log":null', `"log":${JSON.stringify(named)}`));
  }

  it("is read, over restarts, and gets a file of its own when the record is written", () =>
    inPlace(async (place) => {
      await leave(place);
      await assertSame(place, before);
      await assertSame(place, before);
      const store = await place.open();
      await keep(store.jobs, { ...finished, notice: "on" });
      expect(await store.jobLog.read(ONE)).toEqual({ nth: 1, lines: before });
      await store.close();
      expect(logFiles(place)).toEqual(["00000001.1.jsonl"]);
      await assertSame(place, before);
    }));

  it("is there still when a crash comes between its new file and the record", () =>
    inPlace(async (place) => {
      await leave(place);
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      await store.jobLog.read(ONE);
      disk.renameSync = () => {
        throw noSpace();
      };
      await expect(keep(store.jobs, { ...finished, notice: "on" })).rejects.toThrow();
      await store.close();
      await assertSame(place, before);
    }));

  it("is followed by that of the run which works on it now, under another number", () =>
    inPlace(async (place) => {
      await leave(place, sampleJob(1, { status: "accepted", work: { ...NEW_ACTIONS_WORK, run } }));
      const store = await place.open();
      const stored = await store.jobs.load(ONE);
      expect([stored?.log_nth, await store.jobLog.read(ONE)]).toEqual([2, { nth: 1, lines: before }]);
      expect(await store.jobLog.append(ONE, 2, lines(1, 2))).toEqual({ last: 2, added: true });
      await store.close();
      const again = await place.open();
      expect((await again.jobs.load(ONE))?.log_nth).toBe(2);
      await keep(again.jobs, { ...finished, status: "accepted" });
      expect((await again.jobs.load(ONE))?.log_nth).toBe(2);
      expect(await again.jobLog.read(ONE)).toEqual({ nth: 2, lines: lines(1, 2) });
      await again.close();
      expect(logFiles(place)).toEqual(["00000001.2.jsonl"]);
    }));

  it("is pruned for good, with its job or sooner", () =>
    inPlace(async (place) => {
      const later = START + 100 * DAY_MS;
      await leave(place);
      for (const pruned of [1, 0]) {
        const store = await place.open();
        expect((await store.jobs.prune({ jobs_before: null, logs_before: later }, 9)).logs).toBe(pruned);
        expect(await store.jobLog.read(ONE)).toBeNull();
        await store.close();
        expect(logFiles(place)).toEqual([]);
      }
      await leave(place, sampleJob(1, { ...finished, notice: "again" }));
      const store = await place.open();
      expect(await store.jobs.prune({ jobs_before: later, logs_before: later }, 9)).toEqual({ jobs: 1, logs: 1 });
      await store.close();
      expect(filesIn(join(place.dir, "jobs"))).toEqual([]);
    }));
});
