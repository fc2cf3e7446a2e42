/** The contract of what jobs have cost: counted once whatever happens, and kept for longer than their records. */
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../../src/contracts/result.ts";
import type { Job } from "../../../src/domain/job/job.ts";
import type { SpendingRow } from "../../../src/domain/job/spending.ts";
import { type Counted, DAY_MS, dayOf } from "../../../src/domain/usage/figures.ts";
import type { UsageFilter } from "../../../src/engine/ports/spending.ts";
import type { Store } from "../../../src/engine/ports/store.ts";
import { commitOf, type Engine, jobId, keep, START, sampleJob, withStore } from "./sample.ts";

const REPOSITORY = { owner: "Octo", name: "Hello", installation_id: 7, id: 5 };
const TODAY = dayOf(START);
const ALL: UsageFilter = { from: TODAY - 400, to: TODAY + 400 };
const OLD = { jobs_before: START + 100 * DAY_MS, logs_before: START + 100 * DAY_MS };

const job = (id: number, differs: Partial<Job> = {}): Job =>
  sampleJob(id, { repository: REPOSITORY, requester: "ada", ...differs });

const row = (of: Job, cents: number, differs: Partial<SpendingRow> = {}): SpendingRow => ({
  ...{ job: of.id, round: 1, attempt: 1, at: START, account: of.account, requester: of.requester, started_by: null },
  ...{ repository_id: of.repository.id ?? null, repository: "Octo/Hello", model: "large", cents, known: true },
  usage: { ...NO_USAGE, turns: 2, input_tokens: 1_000, output_tokens: 10 },
  ...differs,
});

async function usage({ spending }: Store, filter: Partial<UsageFilter> = {}): Promise<Counted[]> {
  const found: Counted[] = [];
  for await (const one of spending.usage({ ...ALL, ...filter })) found.push(one);
  return found;
}

const figures = async (store: Store, filter: Partial<UsageFilter> = {}) =>
  (await usage(store, filter)).map(({ day, of, figures }) => ({ day: day - TODAY, model: of.model, ...figures }));

export function describeSpending(engine: Engine): void {
  describe(`spending of ${engine.name}`, () => {
    it("is what attempts have cost, by repository and by account, over a restart", () =>
      withStore(engine, async (store, reopen) => {
        const one = job(1);
        await keep(store.jobs, one);
        await keep(store.jobs, one, { spending: [row(one, 12.5)] });
        const two = job(2, { account: "Bob" });
        await keep(store.jobs, two, { spending: [row(two, 30, { known: false })] });
        await keep(store.jobs, sampleJob(3, { repository: { ...REPOSITORY, name: "Other", id: 6 } }));
        for (const { spending } of [store, await reopen()]) {
          const here = { day_cents: 42.5, month_cents: 42.5, jobs_of_day: 2 };
          expect(await spending.spentIn({ repository_id: 5 }, START)).toEqual(here);
          const bobs = { day_cents: 30, month_cents: 30, jobs_of_day: 1 };
          expect(await spending.spentIn({ account: "bob" }, START)).toEqual(bobs);
          expect(await spending.spentIn({ account: "ada" }, START)).toMatchObject({ day_cents: 12.5, jobs_of_day: 2 });
          const nothing = { day_cents: 0, month_cents: 0, jobs_of_day: 0 };
          expect(await spending.spentIn({ repository_id: 7 }, START)).toEqual(nothing);
        }
      }));

    it("counts by the UTC day and the UTC month", () =>
      withStore(engine, async (store) => {
        const one = job(1);
        const end = START + 31 * DAY_MS;
        const rows = [START - 1, START, START + DAY_MS, end - 1, end];
        const spending = rows.map((at, index) => row(one, 10 ** index, { at, attempt: index + 1 }));
        await keep(store.jobs, one, { spending });
        const spent = (now: number) => store.spending.spentIn({ repository_id: 5 }, now);
        expect(await spent(START - 1)).toEqual({ day_cents: 1, month_cents: 1, jobs_of_day: 0 });
        expect(await spent(START)).toEqual({ day_cents: 10, month_cents: 10, jobs_of_day: 1 });
        expect(await spent(end - 1)).toEqual({ day_cents: 1_000, month_cents: 1_110, jobs_of_day: 0 });
        expect(await spent(end)).toMatchObject({ day_cents: 10_000, month_cents: 10_000 });
      }));

    it("replaces what was booked of an attempt before", () =>
      withStore(engine, async (store, reopen) => {
        const one = job(1);
        await keep(store.jobs, one, { spending: [row(one, 100, { known: false })] });
        await keep(store.jobs, one, { spending: [row(one, 7, { model: "small" })] });
        await keep(store.jobs, one, { spending: [row(one, 3, { attempt: 2, model: "small", at: START + DAY_MS })] });
        const expected = [
          {
            ...{ day: 0, model: "small", jobs: 1, again: 1, attempts: 1, millicents: 7_000 },
            ...{ input_tokens: 1_000, output_tokens: 10 },
          },
          {
            ...{ day: 1, model: "small", attempts: 1, millicents: 3_000 },
            ...{ input_tokens: 1_000, output_tokens: 10 },
          },
        ];
        expect(await figures(store)).toEqual(expected);
        expect(await figures(await reopen())).toEqual(expected);
        expect((await store.jobs.load(one.id))?.spending).toHaveLength(2);
      }));

    it("books nothing of a commit that is refused", () =>
      withStore(engine, async (store) => {
        const one = job(1);
        await keep(store.jobs, one);
        const late = commitOf(one, 5, { spending: [row(one, 100)] });
        expect(await store.jobs.commit(late)).toMatchObject({ ok: false, why: "conflict" });
        expect(await store.spending.spentIn({ repository_id: 5 }, START)).toMatchObject({ day_cents: 0 });
      }));

    it("tells what jobs came to on the day on which they were asked for, and how long a merge took", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, job(1));
        await keep(store.jobs, job(1, { status: "verified", merged_at: START + 2 * DAY_MS }));
        await keep(store.jobs, job(2, { status: "failed" }));
        await keep(store.jobs, job(3, { created_at: START + DAY_MS }));
        for (const now of [store, await reopen()]) {
          const [first, second] = await usage(now);
          expect(first).toMatchObject({ day: TODAY, figures: { jobs: 2, merged: 1, failed: 1 } });
          expect(first?.merge_times).toHaveLength(1);
          expect(second).toMatchObject({ day: TODAY + 1, figures: { jobs: 1 }, merge_times: [] });
        }
      }));

    it("finds the figures of a repository, of an account and of a time", () =>
      withStore(engine, async (store) => {
        await keep(store.jobs, job(1));
        await keep(store.jobs, job(2, { account: "Bob", created_at: START + DAY_MS }));
        await keep(store.jobs, sampleJob(3, { account: "bob" }));
        const found = async (filter: Partial<UsageFilter>) =>
          (await usage(store, filter)).map(({ day, of }) => [day - TODAY, of.account, of.repository_id]);
        expect(await found({ repository: { id: 5, name: "octo/hello" } })).toEqual([
          [0, "ada", 5],
          [0, "bob", null],
          [1, "bob", 5],
        ]);
        expect(await found({ repository: { id: 6, name: "octo/other" } })).toEqual([]);
        expect(await found({ accounts: ["BOB"], from: TODAY + 1 })).toEqual([[1, "bob", 5]]);
        expect(await found({ accounts: ["ada"], to: TODAY - 1 })).toEqual([]);
      }));

    it("follows a repository that is called otherwise", () =>
      withStore(engine, async (store, reopen) => {
        const one = job(1);
        await keep(store.jobs, one, { spending: [row(one, 5)] });
        await keep(store.jobs, { ...one, repository: { ...REPOSITORY, name: "Renamed" } });
        const two = job(2, { repository: { ...REPOSITORY, name: "Renamed" } });
        await keep(store.jobs, two, { spending: [row(two, 6)] });
        for (const now of [store, await reopen()]) {
          const found = await figures(now, { repository: { id: 5, name: "octo/renamed" } });
          expect(found.reduce((sum, { millicents = 0 }) => sum + millicents, 0)).toBe(11_000);
          expect(await now.spending.spentIn({ repository_id: 5 }, START)).toMatchObject({ day_cents: 11 });
        }
      }));

    it("outlives the record, and counts once whatever becomes of the id", () =>
      withStore(engine, async (store, reopen) => {
        for (const id of [1, 2]) {
          const one = job(id, { status: "verified" });
          await keep(store.jobs, one, { spending: [row(one, 5)] });
        }
        const before = await figures(store);
        expect(before).toMatchObject([{ jobs: 2, attempts: 2, millicents: 10_000 }]);
        expect(await store.jobs.prune(OLD, 9)).toEqual({ jobs: 2, logs: 0 });
        expect(await store.jobs.load(jobId(1))).toBeNull();
        expect(await figures(store)).toEqual(before);
        const again = await reopen();
        expect(await figures(again)).toEqual(before);
        const drawn = job(1, { created_at: START + DAY_MS });
        await keep(again.jobs, drawn, { spending: [row(drawn, 3, { at: START + DAY_MS })] });
        const spent = async (now: Store) =>
          (await now.spending.spentIn({ repository_id: 5 }, START + DAY_MS)).month_cents;
        expect(await spent(again)).toBe(13);
        expect(await spent(await reopen())).toBe(13);
      }));
  });
}
