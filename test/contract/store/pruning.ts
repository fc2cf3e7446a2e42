/** The contract of what a store forgets, and of what it never does. */
import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/domain/job/job.ts";
import type { JobStore } from "../../../src/engine/ports/jobs.ts";
import { DAY_MS } from "../../../src/engine/sliding-limit.ts";
import { type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

const LATER = START + 100 * DAY_MS;
const OLD = { jobs_before: LATER, logs_before: LATER };
const log = [{ seq: 1, at: "2026-01-01T00:00:00Z", level: "info" as const, text: "read it" }];
const waiting = { state: "waiting", refusals: 0 } as const;

const finished = (id: number, differs: Partial<Job> = {}): Job => sampleJob(id, { status: "verified", ...differs });

/** Ids of what is left, and of those that still have a log. */
async function left(jobs: JobStore, most: number): Promise<{ jobs: number[]; logs: number[] }> {
  const ids = Array.from({ length: most }, (_, index) => index + 1);
  const stored = await Promise.all(ids.map(async (id) => [id, await jobs.load(jobId(id))] as const));
  return {
    jobs: stored.flatMap(([id, job]) => (job === null ? [] : [id])),
    logs: stored.flatMap(([id, job]) => (job === null || job.log.length === 0 ? [] : [id])),
  };
}

export function describePruning(engine: Engine): void {
  describe(`pruning of ${engine.name}`, () => {
    it("deletes finished jobs that are older, with their logs, and finds them no more", () =>
      withStore(engine, async (store, reopen) => {
        const pull_request = { number: 12, url: "https://example.com/12" };
        const origin = { kind: "comment", issue: 5, comment_id: 50 } as const;
        await keep(store.jobs, finished(1, { pull_request, origin }), { log });
        await keep(store.jobs, finished(2, { status: "failed", updated_at: LATER }), { log });
        expect(await store.jobs.prunable(OLD)).toEqual({ jobs: 1, logs: 1 });
        expect(await store.jobs.prune(OLD, 9)).toEqual({ jobs: 1, logs: 1 });
        expect(await store.jobs.prune(OLD, 9)).toEqual({ jobs: 0, logs: 0 });
        for (const jobs of [store.jobs, (await reopen()).jobs]) {
          expect(await left(jobs, 2)).toEqual({ jobs: [2], logs: [2] });
          expect(await jobs.count()).toBe(1);
          expect((await jobs.counts()).statuses).toMatchObject({ verified: 0, failed: 1 });
          expect((await jobs.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([jobId(2)]);
          expect(await jobs.ofPullRequest("octo/hello", 12)).toBeNull();
          expect(await jobs.ofIssue("octo/hello", 5)).toBeNull();
          expect(await jobs.ofComment("octo/hello", 50)).toBeNull();
        }
      }));

    it("keeps what is under way, waits to be merged or to be done, moved money or was the market's", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const postings = [{ account: "user:ada", cents: 5, reason: "credit" }] as const;
        const effects = [{ effect: { type: "sync-comment" }, urgency: "now", not_before: 0 }] as const;
        await keep(jobs, sampleJob(1), { log });
        await keep(jobs, finished(2, { merge: waiting }), { log });
        await keep(jobs, finished(3), { log, effects });
        await keep(jobs, finished(4), { log, postings });
        await keep(jobs, finished(5, onMarket()), { log });
        expect(await jobs.prune(OLD, 9)).toEqual({ jobs: 0, logs: 2 });
        const after = { jobs: [1, 2, 3, 4, 5], logs: [1, 2, 3] };
        expect(await left(jobs, 5)).toEqual(after);
        const again = (await reopen()).jobs;
        expect(await left(again, 5)).toEqual(after);
        expect(await again.balance("user:ada")).toBe(5);
        expect(await again.prune(OLD, 9)).toEqual({ jobs: 0, logs: 0 });
      }));

    it("drops the logs sooner than the jobs, and nothing that is kept for ever", () =>
      withStore(engine, async ({ jobs }) => {
        await keep(jobs, finished(1), { log });
        await keep(jobs, finished(2));
        expect(await jobs.prune({ jobs_before: null, logs_before: null }, 9)).toEqual({ jobs: 0, logs: 0 });
        expect(await jobs.prune({ jobs_before: START, logs_before: LATER }, 9)).toEqual({ jobs: 0, logs: 1 });
        expect(await left(jobs, 2)).toEqual({ jobs: [1, 2], logs: [] });
        expect(await jobs.prune({ jobs_before: LATER, logs_before: null }, 9)).toEqual({ jobs: 2, logs: 0 });
      }));

    it("deletes no more at once than it is told, oldest first", () =>
      withStore(engine, async ({ jobs }) => {
        for (const id of [3, 1, 2]) await keep(jobs, finished(id, { created_at: START + id }));
        expect(await jobs.prune(OLD, 2)).toEqual({ jobs: 2, logs: 0 });
        expect(await left(jobs, 3)).toEqual({ jobs: [3], logs: [] });
      }));

    it("begins a job anew where its id is drawn again", () =>
      withStore(engine, async (store, reopen) => {
        await keep(store.jobs, finished(1), { log });
        await store.jobs.prune(OLD, 9);
        await keep(store.jobs, sampleJob(1, { title: "another" }));
        expect((await (await reopen()).jobs.load(jobId(1)))?.job.title).toBe("another");
      }));
  });
}
