/** The contract of what a store says of its jobs to those who follow them. */
import { describe, expect, it, vi } from "vitest";
import type { Store } from "../../../src/engine/ports/store.ts";
import { commitOf, type Engine, jobId, keep, START, sampleJob, withStore } from "./sample.ts";

const syncComment = { effect: { type: "sync-comment" }, urgency: "now", not_before: START } as const;

export function describeSignals(engine: Engine): void {
  describe(`signals of ${engine.name}`, () => {
    /** Counts what one follower of job 1 is told. */
    const following = (use: Parameters<typeof followed>[1]) => followed(engine, use);

    it("say that a job is there, has changed, or that an effect of it was put off or is over", () =>
      following(async ({ jobs }, count) => {
        await count.more(() => keep(jobs, sampleJob(1), { effects: [syncComment] }));
        const [effect] = (await jobs.load(jobId(1)))?.effects ?? [];
        if (effect === undefined) throw new Error("The effect was not kept.");
        await count.more(() => jobs.reschedule(jobId(1), effect, START + 100));
        await count.more(() => jobs.acknowledge(jobId(1), effect));
        await count.more(() => keep(jobs, sampleJob(1, { title: "another" })));
      }));

    it("come after the change: whoever is told finds it", () =>
      withStore(engine, async ({ jobs, signals }) => {
        const titles: unknown[] = [];
        signals.follow(jobId(1), () => void jobs.load(jobId(1)).then((stored) => titles.push(stored?.job.title)));
        await keep(jobs, sampleJob(1, { title: "one" }));
        await vi.waitFor(() => expect(titles).toContain("one"));
        await keep(jobs, sampleJob(1, { title: "two" }));
        await vi.waitFor(() => expect(titles).toContain("two"));
      }));

    it("are of the job that was asked for, and end when its follower leaves", () =>
      withStore(engine, async ({ jobs, signals }) => {
        let told = 0;
        let others = 0;
        const leave = signals.follow(jobId(1), () => told++);
        signals.follow(jobId(2), () => others++);
        leave();
        leave();
        await keep(jobs, sampleJob(1));
        await keep(jobs, sampleJob(3));
        await keep(jobs, sampleJob(2));
        await vi.waitFor(() => expect(others).toBeGreaterThan(0));
        expect(told).toBe(0);
      }));

    it("reach everybody who follows, also one function twice", () =>
      withStore(engine, async ({ jobs, signals }) => {
        let told = 0;
        const tell = () => void told++;
        const leaveOne = signals.follow(jobId(1), tell);
        signals.follow(jobId(1), tell);
        leaveOne();
        await keep(jobs, sampleJob(1));
        await vi.waitFor(() => expect(told).toBeGreaterThan(0));
      }));

    it("are no news of a commit that was refused", () =>
      following(async ({ jobs }, count) => {
        await count.more(() => keep(jobs, sampleJob(1)));
        expect(await jobs.commit(commitOf(sampleJob(1), 7))).toMatchObject({ ok: false });
        await count.more(() => keep(jobs, sampleJob(1)));
      }));
  });
}

interface Count {
  /** This change is told. */
  more(change: () => Promise<unknown>): Promise<void>;
}

function followed(engine: Engine, use: (store: Store, count: Count) => Promise<void>): Promise<void> {
  return withStore(engine, async (store) => {
    let told = 0;
    store.signals.follow(jobId(1), () => void told++);
    await use(store, {
      async more(change) {
        const before = told;
        await change();
        await vi.waitFor(() => expect(told).toBeGreaterThan(before));
      },
    });
  });
}
