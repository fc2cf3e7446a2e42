/** The logs of jobs beside their records: what a commit writes, and what remains of a log after a failure. */
import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/contracts/log-line.ts";
import { bounded, MAX_LOG_CHARACTERS } from "../../src/domain/job/stored-log.ts";
import type { FileSystem } from "../../src/store/lowdb/disk.ts";
import { assertAsRead } from "./store/as-read.ts";
import { filesIn, inPlace, type LowdbPlace, noSpace } from "./store/lowdb-place.ts";
import { commitOf, jobId, keep, START, sampleJob } from "./store/sample.ts";

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  ...{ seq, at: "2026-01-01T00:00:00Z", level: "info", text },
});
/** As much as is kept of one. */
const fullLog = (first = 1): LogLine[] =>
  bounded(Array.from({ length: 1_000 }, (_, index) => line(first + index, "x".repeat(600))));

/** A disk that counts the bytes it is given. */
function counting() {
  let bytes = 0;
  const disk: FileSystem = {
    ...fs,
    writeSync: ((...given: Parameters<typeof fs.writeSync>) => {
      const written = fs.writeSync(...given);
      bytes += written;
      return written;
    }) as FileSystem["writeSync"],
  };
  const since = (): number => {
    const before = bytes;
    bytes = 0;
    return before;
  };
  return { disk, since };
}

const logFiles = (place: LowdbPlace): string[] =>
  filesIn(join(place.dir, "jobs")).filter((name) => name.endsWith(".jsonl"));

describe("a commit of a job with a full log", () => {
  it("writes no more bytes than that of a job without one", () =>
    inPlace(async (place) => {
      const { disk, since } = counting();
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1));
      await keep(store.jobs, sampleJob(2), { log: fullLog() });
      expect(since()).toBeGreaterThan(MAX_LOG_CHARACTERS);
      await keep(store.jobs, sampleJob(1, { notice: "on" }));
      const without = since();
      for (let count = 0; count < 20; count++) {
        await keep(store.jobs, sampleJob(2, { notice: "on" }));
        // where the log stands
        expect(since()).toBeLessThan(without + 60);
      }
      await store.close();
    }));

  it("adds what the log has more, and rewrites it seldom while it goes on for ever", () =>
    inPlace(async (place) => {
      const { disk, since } = counting();
      const store = await place.open(undefined, disk);
      let log = fullLog();
      await keep(store.jobs, sampleJob(1), { log });
      since();
      let told = 0;
      for (let count = 0; count < 200; count++) {
        const more = Array.from({ length: 10 }, (_, index) =>
          line((log.at(-1)?.seq ?? 0) + 1 + index, "y".repeat(600)),
        );
        log = bounded([...log, ...more]);
        told += 6_000;
        expect((await keep(store.jobs, sampleJob(1), { log })).log).toEqual(log);
      }
      // two copies of each byte at most, and two hundred records
      expect(since()).toBeLessThan(3 * told);
      await store.close();
      await assertSame(place, log);
      expect(logFiles(place)).toHaveLength(1);
    }));
});

/** What the next start reads. */
async function assertSame(place: LowdbPlace, log: readonly LogLine[]): Promise<void> {
  const store = await place.open();
  expect((await store.jobs.load(jobId(1)))?.log).toEqual(log);
  await assertAsRead(store.jobs, place.dir);
  await store.close();
}

describe("a log", () => {
  it("is what the last commit said, whatever the ones before it did, over restarts too", async () => {
    const text = fc.string({ maxLength: 40, unit: "grapheme" });
    const change = fc.oneof(
      fc.record({ more: fc.array(text, { maxLength: 5 }), cut: fc.nat(6) }),
      fc.record({ other: fc.array(text, { maxLength: 5 }) }),
      fc.constantFrom("nothing" as const, "restart" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), (changes) =>
        inPlace(async (place) => {
          let store = await place.open();
          let log: readonly LogLine[] = [];
          await keep(store.jobs, sampleJob(1));
          for (const one of changes) {
            if (one === "restart") {
              await store.close();
              store = await place.open();
            } else if (one === "nothing") await keep(store.jobs, sampleJob(1));
            else {
              const last = log.at(-1)?.seq ?? 0;
              log =
                "other" in one
                  ? one.other.map((words, index) => line(index + 1, words))
                  : [...log.slice(one.cut), ...one.more.map((words, index) => line(last + index + 1, words))];
              await keep(store.jobs, sampleJob(1), { log });
            }
            expect((await store.jobs.load(jobId(1)))?.log).toEqual(log);
          }
          await store.close();
          await assertSame(place, log);
          expect(logFiles(place)).toHaveLength(log.length === 0 ? 0 : 1);
        }),
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ["goes on", [line(1), line(2)]],
    ["is another", [line(1, "another")]],
  ])("that %s is as it was when its commit fails, and nothing of it is left at the next start", (_what, next) =>
    inPlace(async (place) => {
      const disk: FileSystem = { ...fs };
      const store = await place.open(undefined, disk);
      await keep(store.jobs, sampleJob(1), { log: [line(1)] });
      disk.renameSync = () => {
        throw noSpace();
      };
      await expect(store.jobs.commit(commitOf(sampleJob(1), 1, { log: next }))).rejects.toThrow();
      Object.assign(disk, fs);
      expect((await store.jobs.load(jobId(1)))?.log).toEqual([line(1)]);
      await store.close();
      await assertSame(place, [line(1)]);
      expect(logFiles(place)).toHaveLength(1);
      const again = await place.open();
      await keep(again.jobs, sampleJob(1), { log: [line(1), line(2, "later")] });
      await again.close();
      await assertSame(place, [line(1), line(2, "later")]);
    }),
  );

  it("that is gone from the disk stops no job", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await keep(store.jobs, sampleJob(1), { log: [line(1)] });
      await store.close();
      for (const name of logFiles(place)) fs.unlinkSync(join(place.dir, "jobs", name));
      const again = await place.open(() => START);
      expect((await again.jobs.load(jobId(1)))?.log).toEqual([]);
      await keep(again.jobs, sampleJob(1), { log: [line(1), line(2)] });
      await again.close();
      await assertSame(place, [line(1), line(2)]);
    }));
});
