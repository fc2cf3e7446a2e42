/** How lowdb keeps what jobs have cost: beside records that are gone, and of records that were written before it was booked. */
import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job/job.ts";
import { DAY_MS } from "../../src/domain/usage/figures.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { MANY_LINES } from "../../src/store/lowdb/spending.ts";
import { run, work } from "../unit/job-fixtures.ts";
import { inPlace, type LowdbPlace, noSpace } from "./store/lowdb-place.ts";
import { jobId, keep, START, sampleJob } from "./store/sample.ts";

const OLD = { jobs_before: START + 100 * DAY_MS, logs_before: null };
const REPOSITORY = { owner: "Octo", name: "Hello", installation_id: 7, id: 5 };
const USAGE = { turns: 1, input_tokens: 10, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0 };

const finished = (id: number, differs: Partial<Job> = {}): Job =>
  sampleJob(id, { repository: REPOSITORY, status: "verified", ...differs });

const row = (of: Job, cents: number) => ({
  ...{ job: of.id, round: 1, attempt: 1, at: START, repository_id: 5, repository: "Octo/Hello" },
  ...{ account: "ada", requester: null, model: null, started_by: null, cents, known: true, usage: USAGE },
});

const spend = (store: Store, job: Job, cents: number) => keep(store.jobs, job, { spending: [row(job, cents)] });
const spent = ({ spending }: Store) => spending.spentIn({ repository_id: 5 }, START);
const pathOf = (place: LowdbPlace, id: number) => join(place.dir, "jobs", `${jobId(id)}.json`);
const keptIn = (place: LowdbPlace) => join(place.dir, "spending", "kept.jsonl");

const action = fc.record({
  kind: fc.constantFrom("book", "book", "book", "rename", "prune", "restart"),
  id: fc.integer({ min: 1, max: 4 }),
  cents: fc.integer({ min: 1, max: 9 }),
});

/** As it was written before attempts were booked. */
function makeOld(place: LowdbPlace, id: number): void {
  const path = pathOf(place, id);
  const text = fs.readFileSync(path, "utf8");
  const old = text.replace(/"usage":\{"requester":[^}]*\},"spending":\[.*?\],"postings"/, '"postings"');
  expect(old).not.toBe(text);
  fs.writeFileSync(path, old);
}

describe("what jobs have cost, in lowdb", () => {
  it("counts once where a crash came between the line and the record that was to go", () =>
    inPlace(async (place) => {
      const store = await place.open();
      await spend(store, finished(1), 5);
      const record = fs.readFileSync(pathOf(place, 1));
      await store.jobs.prune(OLD, 9);
      await store.close();
      fs.writeFileSync(pathOf(place, 1), record);
      const again = await place.open();
      expect(await spent(again)).toEqual({ day_cents: 5, month_cents: 5, jobs_of_day: 1 });
      await again.jobs.prune(OLD, 9);
      await again.close();
      const last = await place.open();
      expect(await spent(last)).toEqual({ day_cents: 5, month_cents: 5, jobs_of_day: 1 });
      await last.close();
    }));

  it("lets no record go while the disk takes no line", () =>
    inPlace(async (place) => {
      let full = false;
      const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
        if (full) throw noSpace();
        return fs.writeSync(...args);
      }) as typeof fs.writeSync;
      const store = await place.open(() => START, { ...fs, writeSync });
      await spend(store, finished(1), 5);
      full = true;
      await expect(store.jobs.prune(OLD, 9)).rejects.toThrow("kept.jsonl");
      full = false;
      expect(await store.jobs.load(jobId(1))).not.toBeNull();
      await store.jobs.prune(OLD, 9);
      await store.close();
      const again = await place.open();
      expect(await spent(again)).toMatchObject({ day_cents: 5, jobs_of_day: 1 });
      await again.close();
    }));

  it("leaves out what a crash has cut off", () =>
    inPlace(async (place) => {
      const store = await place.open();
      for (const id of [1, 2]) await spend(store, finished(id), id);
      await store.jobs.prune(OLD, 1);
      await store.close();
      fs.appendFileSync(keptIn(place), '{"job":{"id":');
      const again = await place.open();
      expect(await spent(again)).toMatchObject({ day_cents: 3 });
      await again.jobs.prune(OLD, 1);
      await again.close();
      const last = await place.open();
      expect(await spent(last)).toMatchObject({ day_cents: 3 });
      await last.close();
    }));

  it("reads records of before once, takes what they cost from their results, and counts on when they go on", () =>
    inPlace(async (place) => {
      const first = await place.open();
      const other_attempts = { attempts: 2, usage: USAGE, cost_cents: 7, complete: true };
      const result = { ...work({ cost_cents: 4 }), run: { id: run().id, attempt: 1 } };
      await keep(first.jobs, finished(1, { result, other_attempts }));
      await keep(first.jobs, finished(2));
      await first.close();
      for (const id of [1, 2]) makeOld(place, id);
      const read: string[] = [];
      const readFileSync = ((path: string, ...args: []) => {
        if (path.includes("/jobs/")) read.push(path);
        return fs.readFileSync(path, ...args);
      }) as typeof fs.readFileSync;
      for (const reads of [2, 0]) {
        read.length = 0;
        const store = await place.open(() => START, { ...fs, readFileSync });
        expect(read).toHaveLength(reads);
        expect(await spent(store)).toEqual({ day_cents: 11, month_cents: 11, jobs_of_day: 2 });
        await store.close();
      }
      const store = await place.open();
      const job = (await store.jobs.load(jobId(1)))?.job ?? finished(1);
      expect((await store.jobs.load(jobId(1)))?.spending).toHaveLength(3);
      await spend(store, job, 10);
      expect(await spent(store)).toMatchObject({ day_cents: 21 });
      await store.close();
      const again = await place.open();
      expect(await spent(again)).toEqual({ day_cents: 21, month_cents: 21, jobs_of_day: 2 });
      await again.close();
    }));

  it(
    "sums up what many jobs have left behind, and says the same",
    () =>
      inPlace(async (place) => {
        const store = await place.open(() => START, { ...fs, fsyncSync: () => undefined });
        for (let id = 1; id <= MANY_LINES; id++) await spend(store, finished(id), 2);
        while ((await store.jobs.prune(OLD, 500)).jobs > 0);
        const total = { day_cents: 2 * MANY_LINES, month_cents: 2 * MANY_LINES, jobs_of_day: MANY_LINES };
        expect(await spent(store)).toEqual(total);
        expect(fs.readFileSync(keptIn(place), "utf8").split("\n")).toHaveLength(2);
        await spend(store, finished(1), 3);
        await store.jobs.prune(OLD, 1);
        await store.close();
        const again = await place.open();
        expect(await spent(again)).toMatchObject({ day_cents: 2 * MANY_LINES + 3, jobs_of_day: MANY_LINES + 1 });
        await again.close();
      }),
    60_000,
  );

  it("says the same as all that was ever booked, whatever is changed, deleted or restarted in between", () =>
    fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), (actions) =>
        inPlace(async (place) => {
          let store = await place.open();
          /** By the job's place in time and its attempt: an id may come again. */
          const booked = new Map<string, number>();
          const made = new Map<number, number>();
          for (const [index, { kind, id, cents }] of actions.entries()) {
            const here = await store.jobs.load(jobId(id));
            switch (kind) {
              case "book": {
                const created_at = here?.job.created_at ?? START + index;
                made.set(created_at, id);
                booked.set(`${created_at} ${cents % 2}`, cents);
                const job = here?.job ?? finished(id, { created_at });
                await keep(store.jobs, job, { spending: [{ ...row(job, cents), attempt: 1 + (cents % 2) }] });
                break;
              }
              case "rename":
                if (here !== null)
                  await keep(store.jobs, { ...here.job, repository: { ...REPOSITORY, name: `Name${cents}` } });
                break;
              case "prune":
                await store.jobs.prune(OLD, cents);
                break;
              default:
                await store.close();
                store = await place.open();
            }
          }
          const total = [...booked.values()].reduce((sum, cents) => sum + cents, 0);
          const expected = { day_cents: total, month_cents: total, jobs_of_day: made.size };
          expect(await spent(store)).toEqual(expected);
          await store.close();
          store = await place.open();
          expect(await spent(store)).toEqual(expected);
          await store.close();
        }),
      ),
      { numRuns: 40 },
    ));

  it("says which file is damaged", () =>
    inPlace(async (place) => {
      fs.mkdirSync(join(place.dir, "spending"), { recursive: true });
      fs.writeFileSync(keptIn(place), "{}\n");
      await expect(place.open()).rejects.toThrow(/kept\.jsonl \(line 1\) is damaged/);
    }));
});
