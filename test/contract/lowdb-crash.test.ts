/** The store with killed processes and second processes. */
import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { filesIn, inPlace, startWorker, untilTold } from "./store/lowdb-place.ts";
import { jobId, START } from "./store/sample.ts";

const DIFFERENT_MOMENTS = [3, 40, 200];

describe("a store whose process is killed", () => {
  it("has every commit that was acknowledged, and no half of any other", () =>
    inPlace(async (place) => {
      let rounds = 0;
      for (const commits of DIFFERENT_MOMENTS) {
        const worker = startWorker(place.dir, "commit");
        await untilTold(worker, commits);
        await worker.kill();
        const store = await place.open();
        const last = new Map<string, { version: number; round: number }>();
        for (const line of worker.told) {
          const [id = "", version, round] = line.split(" ");
          last.set(id, { version: Number(version), round: Number(round) });
        }
        rounds += worker.told.length;
        for (const [id, acknowledged] of last) {
          const stored = await store.jobs.load(jobId(id));
          // One commit may have been made that there was no time left to tell of.
          expect([acknowledged.version, acknowledged.version + 1]).toContain(stored?.version);
          expect(stored?.job.attempt).toBe(
            acknowledged.round + (stored?.version === acknowledged.version ? 0 : last.size),
          );
          expect(stored?.history.at(-1)?.note).toBe(`${stored?.job.attempt}`);
        }
        await store.close();
        expect(filesIn(place.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      }
      expect(rounds).toBeGreaterThanOrEqual(DIFFERENT_MOMENTS.reduce((sum, commits) => sum + commits, 0));
    }));

  it("has every delivery that was acknowledged", () =>
    inPlace(async (place) => {
      const acknowledged: string[] = [];
      for (const batches of DIFFERENT_MOMENTS) {
        const worker = startWorker(place.dir, "record");
        await untilTold(worker, batches);
        await worker.kill();
        acknowledged.push(...worker.told.flatMap((line) => line.split(" ")));
        const { inbox, close } = await place.open();
        const pending = new Set((await inbox.pending()).map(({ id }) => id));
        expect(acknowledged.filter((id) => !pending.has(id))).toEqual([]);
        expect(await inbox.unknown(acknowledged)).toEqual([]);
        await close();
      }
    }));

  it("has every line that was acknowledged, once, though none was flushed", () =>
    inPlace(async (place) => {
      for (const batches of [3, 40, 100]) {
        const worker = startWorker(place.dir, "log");
        await untilTold(worker, batches);
        await worker.kill();
        const store = await place.open();
        const numbers = (await store.jobLog.read(jobId(1)))?.lines.map(({ seq }) => seq) ?? [];
        expect(numbers.at(-1)).toBeGreaterThanOrEqual(Number(worker.told.at(-1)));
        const [first = 0] = numbers;
        expect(numbers).toEqual(numbers.map((_, index) => first + index));
        await store.close();
      }
    }));
});

describe("a folder of a store", () => {
  it("is refused to a second process, and free at once when the first was killed", () =>
    inPlace(async (place) => {
      const worker = startWorker(place.dir, "hold");
      await untilTold(worker, 1);
      await expect(place.open()).rejects.toThrow(`${place.dir} is in use by another server.`);
      worker.process.kill("SIGSTOP");
      await expect(place.open()).rejects.toThrow("is in use");
      await worker.kill();
      const store = await place.open();
      await store.close();
      expect(fs.readdirSync(place.dir).filter((name) => name.includes("lock"))).toEqual([]);
    }));

  it("is refused to a second store in the same process, and free when the first is closed", () =>
    inPlace(async (place) => {
      const first = await place.open();
      await expect(place.open()).rejects.toThrow("is in use");
      await first.close();
      await (await place.open()).close();
    }));

  it("goes to at most one of many that come at once, also over the lock of a dead one", () =>
    inPlace(async (place) => {
      const worker = startWorker(place.dir, "hold");
      await untilTold(worker, 1);
      await worker.kill();
      const comers = await Promise.allSettled(Array.from({ length: 8 }, () => place.open()));
      const winners = comers.flatMap((comer) => (comer.status === "fulfilled" ? [comer.value] : []));
      expect(winners.length).toBeLessThanOrEqual(1);
      for (const store of winners) await store.close();
      await (await place.open()).close();
    }));

  it("may lie deeper than the path of a socket may be long", () =>
    inPlace(async (place) => {
      const dir = join(place.dir, "d".repeat(120));
      const store = await openLowdbStore({ dir, now: () => START });
      await expect(openLowdbStore({ dir, now: () => START })).rejects.toThrow("is in use");
      await store.close();
      await (await openLowdbStore({ dir, now: () => START })).close();
    }));
});
