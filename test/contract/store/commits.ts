/** The contract of commits and effects. */

import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../../src/contracts/result.ts";
import { marketWork } from "../../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK } from "../../../src/domain/job/schema.ts";
import { MAX_HISTORY_ROWS } from "../../../src/store/next-record.ts";
import { commitOf, type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

const row = (note: string) => ({ at: START, event: "noted", from: null, to: "queued" as const, by: null, note });
const syncComment = { effect: { type: "sync-comment" }, urgency: "now", not_before: START } as const;
const merge = {
  effect: { type: "merge", sha: "a1", method: "squash" },
  urgency: "now",
  not_before: START + 5,
} as const;

export function describeCommits(engine: Engine): void {
  describe(`commits to ${engine.name}`, () => {
    it("keeps everything that a commit names, and again after a restart", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const posting = { account: "outside" as const, cents: 0, reason: "credit" as const };
        const booked = { round: 1, attempt: 1, at: START, model: "large", cents: 1.5, known: true, usage: NO_USAGE };
        const of = { account: "ada", repository_id: null, repository: "Octo/Hello", requester: null, started_by: null };
        const attempt = { ...booked, ...of, job: jobId(1) };
        const stored = await keep(jobs, sampleJob(1), {
          history: [row("a")],
          postings: [posting],
          spending: [attempt],
          effects: [merge],
        });
        expect(stored).toEqual({
          job: sampleJob(1),
          version: 1,
          history: [{ ...row("a"), seq: 1 }],
          postings: [{ ...posting, at: START }],
          spending: [booked],
          effects: [{ ...merge, key: "merge", serial: expect.any(Number), attempts: 0 }],
          log_nth: 0,
        });
        const again = await reopen();
        expect(await again.jobs.load(jobId(1))).toEqual(stored);
        expect(await again.jobs.count()).toBe(1);
      }));

    it("numbers the rows of a history and the runs of a job, over a restart too", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const runs = (attempt: number) => {
          const run = {
            id: 5,
            attempt,
            url: "https://example.com/5",
            status: "in_progress",
            conclusion: null,
          } as const;
          return sampleJob(1, { work: { ...NEW_ACTIONS_WORK, run } });
        };
        expect((await keep(jobs, sampleJob(1), { history: [row("a"), row("b")] })).log_nth).toBe(0);
        expect((await keep(jobs, runs(1))).log_nth).toBe(1);
        const again = (await reopen()).jobs;
        const longer = await keep(again, runs(1), { history: [row("c")] });
        expect(longer.history.map(({ seq, note }) => [seq, note])).toEqual([
          [1, "a"],
          [2, "b"],
          [3, "c"],
        ]);
        expect(longer.log_nth).toBe(1);
        expect((await keep(again, runs(2))).log_nth).toBe(2);
        expect((await keep(again, sampleJob(1))).log_nth).toBe(2);
      }));

    it("gives a pull request to one job for good, also what it has left behind, and after a restart", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const pull = (number: number) => ({ number, url: `https://github.example/pull/${number}` });
        await keep(jobs, sampleJob(1, { pull_request: pull(5) }));
        const other = sampleJob(2);
        await keep(jobs, other);
        const claim = (store: typeof jobs, number: number) =>
          store.commit(commitOf({ ...other, pull_request: pull(number) }, 1));
        expect(await claim(jobs, 5)).toEqual({ ok: false, why: "pull_request_taken" });
        await keep(jobs, sampleJob(1, { pull_request: pull(6), former_pull_requests: [5] }));
        const again = (await reopen()).jobs;
        for (const number of [5, 6])
          expect(await claim(again, number)).toEqual({ ok: false, why: "pull_request_taken" });
        expect(await again.ofPullRequest("octo/hello", 5)).toBe(jobId(1));
        const elsewhere = { owner: "Octo", name: "World", installation_id: 7 };
        await keep(again, sampleJob(3, { repository: elsewhere, pull_request: pull(5) }));
        expect(await claim(again, 7)).toMatchObject({ ok: true });
      }));

    it("lets any number of jobs work on one person's pull request, one after another, and finds the newest", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const pull_request = { number: 5, url: "https://github.example/pull/5" };
        const branch = { branch: "mine", head_sha: null, pushed_sha: null, failing: null };
        const target = { kind: "pull-request", number: 5, ...branch } as const;
        for (const nth of [1, 2]) await keep(jobs, sampleJob(nth, { pull_request, target, created_at: START + nth }));
        expect(await (await reopen()).jobs.ofPullRequest("octo/hello", 5)).toBe(jobId(2));
      }));

    it("answers null for a job that it does not have", () =>
      withStore(engine, async ({ jobs }) => expect(await jobs.load(jobId(9))).toBeNull()));

    it("refuses a new job whose id is taken and a version that is not the last", () =>
      withStore(engine, async ({ jobs }) => {
        await keep(jobs, sampleJob(1, { title: "first" }));
        for (const version of [0, 2]) {
          const answer = await jobs.commit(commitOf(sampleJob(1, { title: "second" }), version));
          expect(answer).toEqual({ ok: false, why: "conflict" });
        }
        expect((await jobs.load(jobId(1)))?.job.title).toBe("first");
      }));

    it("refuses a later version of a job that it does not have", () =>
      withStore(engine, async ({ jobs }) => {
        expect(await jobs.commit(commitOf(sampleJob(1), 3))).toEqual({ ok: false, why: "conflict" });
        expect(await jobs.count()).toBe(0);
      }));

    it("loses no update under 50 callers that each read, change and try again", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        await keep(jobs, sampleJob(1, { attempt: 0 }));
        const raise = async (): Promise<void> => {
          const before = await jobs.load(jobId(1));
          await new Promise((resolve) => setImmediate(resolve));
          if (before === null) throw new Error("The job is gone.");
          const job = { ...before.job, attempt: before.job.attempt + 1 };
          const answer = await jobs.commit(commitOf(job, before.version, { history: [row(`${job.attempt}`)] }));
          if (!answer.ok) await raise();
        };
        await Promise.all(Array.from({ length: 50 }, raise));
        const after = await (await reopen()).jobs.load(jobId(1));
        expect(after?.job.attempt).toBe(50);
        expect(after?.version).toBe(51);
        expect(after?.history.map(({ note }) => note)).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1}`));
      }));

    it("lets one of 50 callers create the same job", () =>
      withStore(engine, async ({ jobs }) => {
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) => jobs.commit(commitOf(sampleJob(1, { title: `by ${i}` }), 0))),
        );
        expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      }));

    it("does not let a reader change what the next one reads", () =>
      withStore(engine, async ({ jobs }) => {
        const mine = sampleJob(1, onMarket({ presented_to_agents: ["one"] }));
        const stored = await keep(jobs, mine);
        for (const list of [mine, stored.job].map((job) => marketWork(job)?.presented_to_agents)) {
          try {
            Object.assign(list ?? [], { 0: "other" });
          } catch {
            // frozen is as good as copied
          }
        }
        expect((await jobs.load(jobId(1)))?.job.work).toMatchObject({ presented_to_agents: ["one"] });
      }));

    it("keeps the first and the newest rows of a long history", () =>
      withStore(engine, async ({ jobs }) => {
        const rows = Array.from({ length: MAX_HISTORY_ROWS + 20 }, (_, i) => row(`${i}`));
        await keep(jobs, sampleJob(1), { history: rows });
        const { history } = await keep(jobs, sampleJob(1), { history: [row("last")] });
        expect(history).toHaveLength(MAX_HISTORY_ROWS);
        expect(history[0]?.note).toBe("0");
        expect(history.at(-1)?.note).toBe("last");
      }));
  });
}

export function describeEffects(engine: Engine): void {
  describe(`effects in ${engine.name}`, () => {
    it("replaces a pending effect of the same key under another serial and counts its attempts anew", () =>
      withStore(engine, async ({ jobs }) => {
        const [first] = (await keep(jobs, sampleJob(1), { effects: [syncComment] })).effects;
        if (first === undefined) throw new Error("The effect was not kept.");
        await jobs.reschedule(jobId(1), first, START + 100);
        const { effects } = await keep(jobs, sampleJob(1), { effects: [{ ...syncComment, not_before: START + 9 }] });
        expect(effects).toHaveLength(1);
        expect(effects[0]).toMatchObject({ key: "sync-comment", attempts: 0, not_before: START + 9 });
        expect(effects[0]?.serial).not.toBe(first.serial);
      }));

    it("removes the effect that a command reports on, unless it was replaced meanwhile", () =>
      withStore(engine, async ({ jobs }) => {
        const before = await keep(jobs, sampleJob(1), { effects: [syncComment, merge] });
        const [comment, merging] = before.effects;
        if (comment === undefined || merging === undefined) throw new Error("The effects were not kept.");
        await keep(jobs, sampleJob(1), { effects: [syncComment] });
        const stale = await keep(jobs, sampleJob(1), { done: comment });
        expect(stale.effects.map(({ key }) => key).sort()).toEqual(["merge", "sync-comment"]);
        const after = await keep(jobs, sampleJob(1), { done: merging });
        expect(after.effects.map(({ key }) => key)).toEqual(["sync-comment"]);
      }));

    it("keeps an effect that the command asks for again while it reports on the last", () =>
      withStore(engine, async ({ jobs }) => {
        const [first] = (await keep(jobs, sampleJob(1), { effects: [syncComment] })).effects;
        if (first === undefined) throw new Error("The effect was not kept.");
        const { effects } = await keep(jobs, sampleJob(1), { done: first, effects: [syncComment] });
        expect(effects).toHaveLength(1);
        expect(effects[0]?.serial).not.toBe(first.serial);
      }));

    it("never gives a serial again, not even after the effect was settled", () =>
      withStore(engine, async ({ jobs }) => {
        const serials = new Set<number>();
        for (let round = 0; round < 5; round++) {
          const [effect] = (await keep(jobs, sampleJob(1), { effects: [syncComment] })).effects;
          if (effect === undefined) throw new Error("The effect was not kept.");
          serials.add(effect.serial);
          expect(await jobs.acknowledge(jobId(1), effect)).toBe(true);
          expect(await jobs.acknowledge(jobId(1), effect)).toBe(false);
        }
        expect(serials.size).toBe(5);
      }));

    it("counts failed attempts over a restart, and not those of a replaced effect", () =>
      withStore(engine, async (store, reopen) => {
        const [first] = (await keep(store.jobs, sampleJob(1), { effects: [syncComment] })).effects;
        if (first === undefined) throw new Error("The effect was not kept.");
        expect(await store.jobs.reschedule(jobId(1), first, START + 1)).toBe(true);
        expect(await store.jobs.reschedule(jobId(1), first, START + 2)).toBe(true);
        const { jobs } = await reopen();
        expect((await jobs.load(jobId(1)))?.effects).toEqual([{ ...first, attempts: 2, not_before: START + 2 }]);
        await keep(jobs, sampleJob(1), { effects: [syncComment] });
        expect(await jobs.reschedule(jobId(1), first, START + 3)).toBe(false);
        expect(await jobs.reschedule(jobId(2), first, START + 3)).toBe(false);
      }));

    it("lets a command that was being decided commit after an attempt was counted, and loses neither", () =>
      withStore(engine, async ({ jobs }) => {
        const before = await keep(jobs, sampleJob(1), { effects: [syncComment] });
        const [effect] = before.effects;
        if (effect === undefined) throw new Error("The effect was not kept.");
        await jobs.reschedule(jobId(1), effect, START + 7);
        const answer = await jobs.commit(commitOf(sampleJob(1, { title: "new" }), before.version));
        expect(answer).toMatchObject({ ok: true, stored: { effects: [{ attempts: 1, not_before: START + 7 }] } });
      }));

    it("finds the jobs with pending effects, and after a restart the same", () =>
      withStore(engine, async (store, reopen) => {
        const [effect] = (await keep(store.jobs, sampleJob(1), { effects: [merge] })).effects;
        if (effect === undefined) throw new Error("The effect was not kept.");
        await keep(store.jobs, sampleJob(2), { effects: [merge] });
        await keep(store.jobs, sampleJob(3));
        await store.jobs.acknowledge(jobId(1), effect);
        expect(await store.jobs.withEffects()).toEqual([jobId(2)]);
        expect(await (await reopen()).jobs.withEffects()).toEqual([jobId(2)]);
      }));
  });
}
