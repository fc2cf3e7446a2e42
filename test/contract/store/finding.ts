/** The contract of lists, look-ups and times. */
import { describe, expect, it } from "vitest";
import type { WantedEffect } from "../../../src/domain/job/effect.ts";
import type { JobId } from "../../../src/domain/job/job.ts";
import { nextTimerAt } from "../../../src/domain/job/next-timer.ts";
import type { JobFilter, JobStore } from "../../../src/engine/ports/jobs.ts";
import { work } from "../../unit/job-fixtures.ts";
import { type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

async function walk(jobs: JobStore, filter: Omit<JobFilter, "cursor">): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<JobStore["list"]>> = await jobs.list(
      cursor === null ? filter : { ...filter, cursor },
    );
    expect(page.jobs.length).toBeLessThanOrEqual(filter.limit);
    ids.push(...page.jobs.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== null);
  return ids;
}

export function describeLists(engine: Engine): void {
  describe(`lists of ${engine.name}`, () => {
    it("pages newest first through every combination of filters, each job once", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const all = Array.from({ length: 60 }, (_, i) =>
          sampleJob(i, {
            account: i % 2 === 0 ? "ada" : "bob",
            repository: { owner: "Octo", name: i % 3 === 0 ? "Hello" : "world", installation_id: 7 },
            status: i % 5 === 0 ? "failed" : "verified",
            // Several at one time, and written in another order than their age.
            created_at: START + ((i * 7) % 20),
          }),
        );
        for (const job of all) await keep(jobs, job);
        const newestFirst = all.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
        const check = async (store: JobStore) => {
          for (const account of [undefined, "ada"])
            for (const repository of [undefined, "OCTO/hello"])
              for (const status of [undefined, "failed" as const]) {
                const wanted = newestFirst.filter(
                  (job) =>
                    (account === undefined || job.account === account) &&
                    (repository === undefined || job.repository.name === "Hello") &&
                    (status === undefined || job.status === status),
                );
                const filter = {
                  limit: 7,
                  ...(account === undefined ? {} : { account }),
                  ...(repository === undefined ? {} : { repository }),
                  ...(status === undefined ? {} : { status }),
                };
                expect(await walk(store, filter)).toEqual(wanted.map(({ id }) => id));
              }
        };
        await check(jobs);
        await check((await reopen()).jobs);
      }));

    it("ends a list that is exactly a page long, and answers nothing where nothing is", () =>
      withStore(engine, async ({ jobs }) => {
        for (const id of [1, 2]) await keep(jobs, sampleJob(id));
        expect((await jobs.list({ limit: 2 })).cursor).toBeNull();
        for (const filter of [{ account: "nobody" }, { repository: "no/where" }, { status: "failed" as const }])
          expect(await jobs.list({ limit: 5, ...filter })).toEqual({ jobs: [], cursor: null });
        expect(await jobs.list({ limit: 5, cursor: "?" })).toEqual({ jobs: [], cursor: null });
      }));

    it("is not disturbed by jobs that come between two pages", () =>
      withStore(engine, async ({ jobs }) => {
        for (const id of [1, 2, 3, 4]) await keep(jobs, sampleJob(id, { created_at: START + id }));
        const { cursor } = await jobs.list({ limit: 2 });
        await keep(jobs, sampleJob(5, { created_at: START + 5 }));
        const next = await jobs.list({ limit: 5, ...(cursor === null ? {} : { cursor }) });
        expect(next.jobs.map(({ id }) => id)).toEqual([jobId(2), jobId(1)]);
      }));

    it("moves a job from list to list as its status changes", () =>
      withStore(engine, async ({ jobs }) => {
        for (const id of [1, 2]) await keep(jobs, sampleJob(id));
        await keep(jobs, sampleJob(1, { status: "verified" }));
        expect(await walk(jobs, { status: "queued", limit: 9 })).toEqual([jobId(2)]);
        expect(await walk(jobs, { status: "verified", account: "ada", limit: 9 })).toEqual([jobId(1)]);
        expect(await walk(jobs, { limit: 9 })).toEqual([jobId(2), jobId(1)]);
        await keep(jobs, sampleJob(1, { status: "queued" }));
        expect(await walk(jobs, { status: "queued", limit: 9 })).toEqual([jobId(2), jobId(1)]);
        expect(await walk(jobs, { status: "verified", limit: 9 })).toEqual([]);
      }));

    it("keeps a job that waits for an answer open, in a list of its own, and out of its account's quota", () =>
      withStore(engine, async (store, reopen) => {
        const result = work({ outcome: "question" });
        await keep(store.jobs, sampleJob(1, { status: "waiting_for_user", question_asked_at: START, result }));
        await keep(store.jobs, sampleJob(2));
        for (const { jobs } of [store, await reopen()]) {
          expect(await walk(jobs, { status: "waiting_for_user", limit: 9 })).toEqual([jobId(1)]);
          expect(await walk(jobs, { outcome: "question", limit: 9 })).toEqual([jobId(1)]);
          expect((await jobs.counts()).statuses).toMatchObject({ waiting_for_user: 1, queued: 1 });
          expect((await jobs.open()).toSorted()).toEqual([jobId(1), jobId(2)].toSorted());
          expect((await jobs.usageOf("ada")).jobs_under_way).toBe(1);
        }
      }));

    it("finds jobs by what came of them, with the other filters and over a restart too", () =>
      withStore(engine, async (store, reopen) => {
        const result = work({ outcome: "question" });
        await keep(store.jobs, sampleJob(1, { status: "verified", merged_at: START }));
        await keep(store.jobs, sampleJob(2, { status: "verified", result }));
        await keep(store.jobs, sampleJob(3, { status: "failed" }));
        await keep(store.jobs, sampleJob(4, { status: "verified", merged_at: START, account: "bob" }));
        await keep(store.jobs, sampleJob(5));
        const check = async (jobs: JobStore) => {
          expect(await walk(jobs, { outcome: "merged", limit: 1 })).toEqual([jobId(4), jobId(1)]);
          expect(await walk(jobs, { outcome: "merged", account: "bob", limit: 9 })).toEqual([jobId(4)]);
          expect(await walk(jobs, { outcome: "question", status: "verified", limit: 9 })).toEqual([jobId(2)]);
          expect(await walk(jobs, { outcome: "declined", limit: 9 })).toEqual([]);
        };
        await check(store.jobs);
        const again = (await reopen()).jobs;
        await check(again);
        await keep(again, sampleJob(3, { status: "queued" }));
        expect(await walk(again, { outcome: "failed", limit: 9 })).toEqual([]);
      }));

    it("lists a hold that is over as queued, whether or not a timer has come by", () => {
      const time = { now: START };
      return withStore(
        engine,
        async ({ jobs }) => {
          const hold = { agent_id: "x", account: "bob", expires_at: START + 30 };
          await keep(jobs, sampleJob(1, { status: "held", ...onMarket({ hold }), created_at: START + 1 }));
          await keep(jobs, sampleJob(2));
          await keep(jobs, sampleJob(3, { created_at: START + 2 }));
          expect(await walk(jobs, { status: "held", limit: 1 })).toEqual([jobId(1)]);
          expect(await walk(jobs, { status: "queued", limit: 1 })).toEqual([jobId(3), jobId(2)]);
          time.now = START + 30;
          expect(await walk(jobs, { status: "held", limit: 1 })).toEqual([]);
          expect(await walk(jobs, { status: "queued", limit: 1 })).toEqual([jobId(3), jobId(1), jobId(2)]);
          await keep(
            jobs,
            sampleJob(1, { status: "held", ...onMarket({ hold }), created_at: START + 1, woken_at: time.now }),
          );
          expect(await walk(jobs, { status: "held", limit: 1 })).toEqual([]);
        },
        () => time.now,
      );
    });
  });
}

export function describeLookups(engine: Engine): void {
  describe(`look-ups in ${engine.name}`, () => {
    it("finds the newest job of a pull request and of an issue, and the job of a comment, in any case of the name", () =>
      withStore(engine, async (store, reopen) => {
        const origin = { kind: "comment", issue: 5, comment_id: 5_000_000_001 } as const;
        const pull_request = { number: 12, url: "https://example.com/12" };
        const other = { owner: "octo", name: "other", installation_id: 7 };
        await keep(store.jobs, sampleJob(2, { origin, created_at: START + 9 }));
        await keep(store.jobs, sampleJob(2, { origin, created_at: START + 9, pull_request }));
        await keep(store.jobs, sampleJob(1, { origin: { kind: "label", issue: 5 } }));
        await keep(store.jobs, sampleJob(3, { origin: { kind: "label", issue: 5 }, repository: other }));
        const check = async (jobs: JobStore) => {
          expect(await jobs.ofPullRequest("octo/HELLO", 12)).toBe(jobId(2));
          expect(await jobs.ofIssue("octo/hello", 5)).toBe(jobId(2));
          expect(await jobs.ofIssue("octo/other", 5)).toBe(jobId(3));
          expect(await jobs.ofComment("octo/hello", 5_000_000_001)).toBe(jobId(2));
          expect(await jobs.ofComment("octo/other", 5_000_000_001)).toBeNull();
          expect(await jobs.ofPullRequest("octo/hello", 13)).toBeNull();
        };
        await check(store.jobs);
        await check((await reopen()).jobs);
      }));

    it("finds the open jobs of one repository, oldest first, as they begin, end, begin again and move", () =>
      withStore(engine, async (store, reopen) => {
        const moved = { owner: "octo", name: "other", installation_id: 7 };
        await keep(store.jobs, sampleJob(1, { created_at: START + 2 }));
        await keep(store.jobs, sampleJob(2, { created_at: START + 1 }));
        await keep(store.jobs, sampleJob(3, { status: "failed" }));
        await keep(store.jobs, sampleJob(4, { repository: moved }));
        const openIn = async (jobs: JobStore, name: string) => (await jobs.openIn(name)).map(({ id }) => id);
        const check = async (expected: readonly JobId[], others: readonly JobId[]) => {
          for (const jobs of [store.jobs, (await reopen()).jobs]) {
            expect(await openIn(jobs, "octo/HELLO")).toEqual(expected);
            expect(await openIn(jobs, "octo/other")).toEqual(others);
          }
        };
        expect(await openIn(store.jobs, "octo/HELLO")).toEqual([jobId(2), jobId(1)]);
        await keep(store.jobs, sampleJob(2, { created_at: START + 1, status: "cancelled" }));
        await keep(store.jobs, sampleJob(3));
        await keep(store.jobs, sampleJob(1, { created_at: START + 2, repository: moved }));
        await check([jobId(3)], [jobId(4), jobId(1)]);
      }));

    it("calls open what is not final or has a merge still to come", () =>
      withStore(engine, async (store, reopen) => {
        const waiting = { state: "waiting", refusals: 0 } as const;
        await keep(store.jobs, sampleJob(1));
        await keep(store.jobs, sampleJob(2, { status: "verified" }));
        await keep(store.jobs, sampleJob(3, { status: "verified", merge: waiting }));
        await keep(store.jobs, sampleJob(4, { status: "verified", merge: waiting, merged_at: START }));
        await keep(store.jobs, sampleJob(5, { status: "failed", merge: waiting }));
        await keep(store.jobs, sampleJob(6));
        await keep(store.jobs, sampleJob(6, { status: "cancelled" }));
        expect([...(await store.jobs.open())].sort()).toEqual([jobId(1), jobId(3)]);
        expect([...(await (await reopen()).jobs.open())].sort()).toEqual([jobId(1), jobId(3)]);
      }));

    it("wakes jobs in the order of their time, and none too early", () =>
      withStore(engine, async (store, reopen) => {
        const accepted = (id: number, after: number) =>
          sampleJob(id, { status: "accepted", deadline_at: START + after });
        for (const [id, after] of [
          [1, 40],
          [2, 10],
          [3, 30],
          [4, 20],
          [5, 20],
        ] as const)
          await keep(store.jobs, accepted(id, after));
        await keep(store.jobs, sampleJob(6));
        await keep(store.jobs, sampleJob(3, { status: "verified" }));
        await keep(store.jobs, accepted(1, 5));
        expect(nextTimerAt(accepted(1, 5))).toBe(START + 5);
        const check = async (jobs: JobStore) => {
          expect(await jobs.due(START + 4, 9)).toEqual([]);
          expect(await jobs.due(START + 10, 9)).toEqual([jobId(1), jobId(2)]);
          expect(await jobs.due(START + 99, 9)).toEqual([jobId(1), jobId(2), jobId(4), jobId(5)]);
          expect(await jobs.due(START + 99, 3)).toEqual([jobId(1), jobId(2), jobId(4)]);
        };
        await check(store.jobs);
        await check((await reopen()).jobs);
      }));

    it("counts jobs by status and effects that wait and are not held back, as they change and over restarts", () =>
      withStore(engine, async (store, reopen) => {
        const none = { pending_payment: 0, queued: 0, held: 0, accepted: 0 };
        const effects: WantedEffect[] = [
          { effect: { type: "sync-check" }, urgency: "now", not_before: START },
          { effect: { type: "sync-comment" }, urgency: "now", not_before: START },
        ];
        const held: WantedEffect = { effect: { type: "show-progress" }, urgency: "soon", not_before: START };
        expect((await store.jobs.counts()).pending).toBe(0);
        await keep(store.jobs, sampleJob(1), { effects });
        await keep(store.jobs, sampleJob(2), { effects });
        await keep(store.jobs, sampleJob(2, { status: "failed" }));
        await keep(store.jobs, sampleJob(3), { effects: [held] });
        const [first, second] = (await store.jobs.load(jobId(1)))?.effects ?? [];
        if (first === undefined || second === undefined) throw new Error("the effects are gone");
        await store.jobs.reschedule(jobId(1), first, START + 5);
        await store.jobs.acknowledge(jobId(1), second);
        const statuses = {
          ...none,
          queued: 2,
          submitted: 0,
          waiting_for_user: 0,
          verified: 0,
          cancelled: 0,
          failed: 1,
        };
        for (const { jobs } of [store, await reopen()]) {
          expect(await jobs.counts()).toEqual({ statuses, pending: 3, failing: 1 });
          expect(await jobs.withEffects()).toContain(jobId(3));
        }
      }));

    it("waits for nothing when no job does", () =>
      withStore(engine, async ({ jobs }) => {
        await keep(jobs, sampleJob(1, { head_sha: "a" }));
        expect(await jobs.due(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
      }));
  });
}
