/** The contract of what a store forgets, and of what it never does. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/domain/job/job.ts";
import type { Commit } from "../../../src/engine/ports/jobs.ts";
import type { Store } from "../../../src/engine/ports/store.ts";
import { DAY_MS } from "../../../src/engine/sliding-limit.ts";
import { type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

const LATER = START + 100 * DAY_MS;
const OLD = { jobs_before: LATER, logs_before: LATER };
const log = [{ seq: 1, at: "2026-01-01T00:00:00Z", level: "info" as const, text: "read it" }];
const waiting = { state: "waiting", refusals: 0 } as const;

const finished = (id: number, differs: Partial<Job> = {}): Job => sampleJob(id, { status: "verified", ...differs });

/** Ids of what is left, and of those that still have a log. */
async function left(
  { jobs, jobLog }: Pick<Store, "jobs" | "jobLog">,
  most: number,
): Promise<{ jobs: number[]; logs: number[] }> {
  const ids = Array.from({ length: most }, (_, index) => index + 1);
  const stored = await Promise.all(ids.map(async (id) => [id, await jobs.load(jobId(id))] as const));
  const logs = await Promise.all(ids.map(async (id) => [id, await jobLog.read(jobId(id))] as const));
  return {
    jobs: stored.flatMap(([id, job]) => (job === null ? [] : [id])),
    logs: logs.flatMap(([id, kept]) => (kept === null ? [] : [id])),
  };
}

/** Stores this job with a log. */
async function keepLogged({ jobs, jobLog }: Pick<Store, "jobs" | "jobLog">, job: Job, differs: Partial<Commit> = {}) {
  await keep(jobs, job, differs);
  await jobLog.keep(job.id, 1, log);
}

export function describePruning(engine: Engine): void {
  describe(`pruning of ${engine.name}`, () => {
    it("deletes finished jobs that are older, with their logs, and finds them no more", () =>
      withStore(engine, async (store, reopen) => {
        const pull_request = { number: 12, url: "https://example.com/12" };
        const origin = { kind: "comment", issue: 5, comment_id: 50 } as const;
        await keepLogged(store, finished(1, { pull_request, origin }));
        await keepLogged(store, finished(2, { status: "failed", updated_at: LATER }));
        expect(await store.jobs.prunable(OLD)).toEqual({ jobs: 1, logs: 1 });
        expect(await store.jobs.prune(OLD, 9)).toEqual({ jobs: 1, logs: 1 });
        expect(await store.jobs.prune(OLD, 9)).toEqual({ jobs: 0, logs: 0 });
        for (const one of [store, await reopen()]) {
          const { jobs } = one;
          expect(await left(one, 2)).toEqual({ jobs: [2], logs: [2] });
          expect(await jobs.count()).toBe(1);
          expect((await jobs.counts()).statuses).toMatchObject({ verified: 0, failed: 1 });
          expect((await jobs.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([jobId(2)]);
          expect(await jobs.ofPullRequest("octo/hello", 12)).toBeNull();
          expect(await jobs.ofIssue("octo/hello", 5)).toBeNull();
          expect(await jobs.ofComment("octo/hello", 50)).toBeNull();
        }
      }));

    it("keeps what is under way, waits to be merged or to be done, moved money or was the market's", () =>
      withStore(engine, async (store, reopen) => {
        const { jobs } = store;
        const postings = [{ account: "user:ada", cents: 5, reason: "credit" }] as const;
        const effects = [{ effect: { type: "sync-comment" }, urgency: "now", not_before: 0 }] as const;
        await keepLogged(store, sampleJob(1));
        await keepLogged(store, finished(2, { merge: waiting }));
        await keepLogged(store, finished(3), { effects });
        await keepLogged(store, finished(4), { postings });
        await keepLogged(store, finished(5, onMarket()));
        expect(await jobs.prune(OLD, 9)).toEqual({ jobs: 0, logs: 2 });
        const after = { jobs: [1, 2, 3, 4, 5], logs: [1, 2, 3] };
        expect(await left(store, 5)).toEqual(after);
        const again = await reopen();
        expect(await left(again, 5)).toEqual(after);
        expect(await again.jobs.balance("user:ada")).toBe(5);
        expect(await again.jobs.prune(OLD, 9)).toEqual({ jobs: 0, logs: 0 });
      }));

    it("drops the logs sooner than the jobs, and nothing that is kept for ever", () =>
      withStore(engine, async (store) => {
        const { jobs } = store;
        await keepLogged(store, finished(1));
        await keep(jobs, finished(2));
        expect(await jobs.prune({ jobs_before: null, logs_before: null }, 9)).toEqual({ jobs: 0, logs: 0 });
        expect(await jobs.prune({ jobs_before: START, logs_before: LATER }, 9)).toEqual({ jobs: 0, logs: 1 });
        expect(await left(store, 2)).toEqual({ jobs: [1, 2], logs: [] });
        expect(await jobs.prune({ jobs_before: LATER, logs_before: null }, 9)).toEqual({ jobs: 2, logs: 0 });
      }));

    it("deletes no more at once than it is told, oldest first", () =>
      withStore(engine, async (store) => {
        const { jobs } = store;
        for (const id of [3, 1, 2]) await keep(jobs, finished(id, { created_at: START + id }));
        expect(await jobs.prune(OLD, 2)).toEqual({ jobs: 2, logs: 0 });
        expect(await left(store, 3)).toEqual({ jobs: [3], logs: [] });
      }));

    it("begins a job anew where its id is drawn again", () =>
      withStore(engine, async (store, reopen) => {
        await keepLogged(store, finished(1));
        await store.jobs.prune(OLD, 9);
        await keep(store.jobs, sampleJob(1, { title: "another" }));
        const again = await reopen();
        expect((await again.jobs.load(jobId(1)))?.job.title).toBe("another");
        expect(await again.jobLog.read(jobId(1))).toBeNull();
      }));
  });
}
