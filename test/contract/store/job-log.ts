/** The contract of the logs of jobs. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type LogLine, MAX_LOG_LINES } from "../../../src/contracts/log-line.ts";
import { MAX_LOG_CHARACTERS } from "../../../src/domain/job/stored-log.ts";
import type { JobLog, NewestLog } from "../../../src/engine/ports/job-log.ts";
import { type Engine, jobId, keep, sampleJob, withStore } from "./sample.ts";

const line = (seq: number, text = `l${seq}`): LogLine => ({ seq, at: "2026-01-01T00:00:00Z", level: "info", text });
const lines = (from: number, to: number, text?: string): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index, text));
const ONE = jobId(1);

const added = (last: number) => ({ last, added: true });
const nothingNew = (last: number) => ({ last, added: false });
const textsOf = async (log: JobLog): Promise<unknown> => (await log.read(ONE))?.lines.map(({ text }) => text);

export function describeJobLog(engine: Engine): void {
  describe(`lines that are appended to a log of ${engine.name}`, () => {
    it("are taken once each, in their order, and holes in the middle are no lines", () =>
      withStore(engine, async ({ jobLog }) => {
        expect(await jobLog.read(ONE)).toBeNull();
        expect(await jobLog.append(ONE, 1, lines(1, 3))).toEqual(added(3));
        expect(await jobLog.append(ONE, 1, lines(2, 3))).toEqual(nothingNew(3));
        expect(await jobLog.append(ONE, 1, [])).toEqual(nothingNew(3));
        expect(await jobLog.append(ONE, 1, [line(3), line(7), line(5), line(8)])).toEqual(added(8));
        expect((await jobLog.read(ONE))?.lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 7, 8]);
      }));

    it("begin at the first, so that a sender who does not know what was lost begins again", () =>
      withStore(engine, async ({ jobLog }) => {
        expect(await jobLog.append(ONE, 1, lines(4, 9))).toEqual(nothingNew(0));
        expect(await jobLog.read(ONE)).toBeNull();
        expect(await jobLog.append(ONE, 1, lines(1, 9))).toEqual(added(9));
      }));

    it("are what they were, and go on, over a restart", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, sampleJob(1));
        await store.jobLog.append(ONE, 1, [line(1, "line\none ☃ \u2028 \\n"), line(2, "")]);
        const { jobLog } = await reopen();
        expect(await jobLog.append(ONE, 1, [line(2, "twice"), line(3)])).toEqual(added(3));
        expect(await jobLog.read(ONE)).toEqual({
          nth: 1,
          lines: [line(1, "line\none ☃ \u2028 \\n"), line(2, ""), line(3)],
        });
      }));

    it("take the place of an earlier attempt's, which can add nothing more", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, sampleJob(1));
        await store.jobLog.append(ONE, 1, lines(1, 5));
        expect(await store.jobLog.append(ONE, 2, lines(4, 6))).toEqual(nothingNew(0));
        expect((await store.jobLog.read(ONE))?.nth).toBe(1);
        expect(await store.jobLog.append(ONE, 2, lines(1, 2, "second"))).toEqual(added(2));
        expect(await store.jobLog.append(ONE, 1, lines(6, 9))).toEqual(nothingNew(0));
        await store.jobLog.keep(ONE, 1, lines(1, 9));
        for (const { jobLog } of [store, await reopen()])
          expect(await jobLog.read(ONE)).toEqual({ nth: 2, lines: lines(1, 2, "second") });
      }));

    it("stay within twice the bounds, whatever comes, and the newest stay", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, sampleJob(1));
        const { jobLog } = store;
        for (let from = 1; from <= 5 * MAX_LOG_LINES; from += 200) await jobLog.append(ONE, 1, lines(from, from + 199));
        expect((await jobLog.read(ONE))?.lines.length).toBeLessThanOrEqual(2 * MAX_LOG_LINES);
        const long = "x".repeat(4_000);
        for (let from = 5 * MAX_LOG_LINES + 1; from <= 6 * MAX_LOG_LINES; from += 200)
          expect(await jobLog.append(ONE, 1, lines(from, from + 199, long))).toEqual(added(from + 199));
        for (const one of [jobLog, (await reopen()).jobLog]) {
          const kept = (await one.read(ONE))?.lines ?? [];
          const characters = kept.reduce((sum, { text }) => sum + text.length, 0);
          expect(characters).toBeLessThanOrEqual(2 * MAX_LOG_CHARACTERS);
          expect(kept.at(-1)?.seq).toBe(6 * MAX_LOG_LINES);
        }
      }));

    it("are of their job, and no part of its record", () =>
      withStore(engine, async ({ jobs, jobLog }) => {
        const before = await keep(jobs, sampleJob(1));
        await jobLog.append(ONE, 1, lines(1, 2));
        await jobLog.append(jobId(2), 1, lines(1, 7));
        expect(await jobs.load(ONE)).toEqual(before);
        await keep(jobs, sampleJob(1, { notice: "on" }));
        expect(await textsOf(jobLog)).toEqual(["l1", "l2"]);
      }));
  });

  describe(`a whole log in ${engine.name}`, () => {
    it("takes the place of what was told of it, over a restart too, and may be kept again", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, sampleJob(1));
        await store.jobLog.append(ONE, 1, lines(1, 3));
        await store.jobLog.keep(ONE, 1, [line(2, "two"), line(4, "four")]);
        expect(await textsOf(store.jobLog)).toEqual(["two", "four"]);
        const { jobLog } = await reopen();
        expect(await textsOf(jobLog)).toEqual(["two", "four"]);
        await jobLog.keep(ONE, 1, lines(1, 6));
        expect(await jobLog.append(ONE, 1, lines(5, 7))).toEqual(added(7));
        expect(await textsOf(jobLog)).toEqual(lines(1, 7).map(({ text }) => text));
      }));

    it("needs no lines before it, and replaces an earlier attempt's", () =>
      withStore(engine, async ({ jobLog }) => {
        await jobLog.keep(ONE, 1, lines(1, 2));
        await jobLog.keep(ONE, 3, [line(5, "later")]);
        expect(await jobLog.read(ONE)).toEqual({ nth: 3, lines: [line(5, "later")] });
      }));
  });

  describe(`any log of ${engine.name}`, () => {
    it("is what was told and kept of its newest attempt, over restarts too", async () => {
      const texts = fc.array(fc.string({ maxLength: 40, unit: "grapheme" }), { minLength: 1, maxLength: 5 });
      const step = fc.oneof(
        fc.record({ do: fc.constant("append" as const), nth: fc.nat(2), back: fc.nat(3), texts }),
        fc.record({ do: fc.constant("keep" as const), nth: fc.nat(2), back: fc.nat(3), texts }),
        fc.constant({ do: "restart" as const }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) =>
          withStore(engine, async (first, reopen) => {
            let { jobs, jobLog } = first;
            await keep(jobs, sampleJob(1));
            let model: NewestLog = { nth: 0, lines: [] };
            for (const one of steps) {
              if (one.do === "restart") ({ jobs, jobLog } = await reopen());
              else {
                // often the same attempt, and some lines again
                const nth = Math.max(1, model.nth + one.nth - 1);
                const known = nth === model.nth ? model.lines : [];
                const from = Math.max(1, (known.at(-1)?.seq ?? 0) + 1 - one.back);
                const told = one.texts.map((text, index) => line(from + index, text));
                await jobLog[one.do](ONE, nth, told);
                if (nth < model.nth) continue;
                const last = known.at(-1)?.seq ?? 0;
                const fresh = one.do === "keep" ? told : told.filter(({ seq }) => seq > last);
                if (fresh.length > 0) model = { nth, lines: one.do === "keep" ? told : [...known, ...fresh] };
              }
              expect(await jobLog.read(ONE)).toEqual(model.nth === 0 ? null : model);
            }
          }),
        ),
        { numRuns: 30 },
      );
    });
  });

  describe(`reading a log of ${engine.name}`, () => {
    it("goes on after a place, and from the beginning of another attempt's", () =>
      withStore(engine, async ({ jobLog }) => {
        await jobLog.append(ONE, 2, [line(1), line(2), line(5), line(6)]);
        const from = async (nth: number, at: number) => {
          const log = await jobLog.read(ONE, { nth, line: at });
          return [log?.nth, ...(log?.lines.map(({ seq }) => seq) ?? [])];
        };
        expect(await from(2, 0)).toEqual([2, 1, 2, 5, 6]);
        expect(await from(2, 2)).toEqual([2, 5, 6]);
        expect(await from(2, 4)).toEqual([2, 5, 6]);
        expect(await from(2, 6)).toEqual([2]);
        expect(await from(2, 900)).toEqual([2]);
        expect(await from(1, 5)).toEqual([2, 1, 2, 5, 6]);
      }));

    it("is not changed by what comes later", () =>
      withStore(engine, async ({ jobLog }) => {
        await jobLog.append(ONE, 1, lines(1, 2));
        const read = await jobLog.read(ONE);
        await jobLog.append(ONE, 1, lines(3, 4));
        expect(read?.lines).toHaveLength(2);
      }));
  });

  describe(`who follows a job of ${engine.name}`, () => {
    it("is told of new lines and of whole logs, and of nothing where nothing is new", () =>
      withStore(engine, async ({ jobLog, signals }) => {
        let told = 0;
        signals.follow(ONE, () => void told++);
        const until = (least: number) => vi.waitFor(() => expect(told).toBeGreaterThanOrEqual(least));
        await jobLog.append(ONE, 1, lines(1, 2));
        await until(1);
        const before = told;
        await jobLog.append(ONE, 1, lines(1, 2));
        await jobLog.append(jobId(2), 1, lines(1, 2));
        await jobLog.keep(ONE, 1, lines(1, 3));
        await until(before + 1);
      }));
  });
}
