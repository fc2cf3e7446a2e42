/** The contract of guards: what a decision has seen beside its job has not changed when it is committed. */
import { describe, expect, it } from "vitest";
import { commitOf, type Engine, jobId, START, sampleJob, withStore } from "./sample.ts";

export function describeGuards(engine: Engine): void {
  describe(`guards in ${engine.name}`, () => {
    it("let the first of two commits through that have seen the same, and change nothing for the second", () =>
      withStore(engine, async ({ jobs, usage }) => {
        const uses = [{ kind: "round", of: "ada" }] as const;
        const [one, two] = [await jobs.guards(["a", "b"]), await jobs.guards(["b", "c"])];
        const answers = await Promise.all([
          jobs.commit(commitOf(sampleJob(1), 0, { guards: one, uses })),
          jobs.commit(commitOf(sampleJob(2), 0, { guards: two, uses })),
        ]);
        expect(answers.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
        expect(answers).toContainEqual({ ok: false, why: "conflict" });
        expect(await jobs.count()).toBe(1);
        expect(await usage.nthNewest("round", "ada", 1)).toBe(START);
        expect(await usage.nthNewest("round", "ada", 2)).toBeNull();
      }));

    it("that are others, or are read again, do not stop a commit; nor do commits without any", () =>
      withStore(engine, async ({ jobs }) => {
        const [a, b] = [await jobs.guards(["a"]), await jobs.guards(["b"])];
        expect(await jobs.commit(commitOf(sampleJob(1), 0, { guards: a }))).toMatchObject({ ok: true });
        expect(await jobs.commit(commitOf(sampleJob(2), 0))).toMatchObject({ ok: true });
        expect(await jobs.commit(commitOf(sampleJob(3), 0, { guards: b }))).toMatchObject({ ok: true });
        const again = await jobs.guards(["a"]);
        expect(await jobs.commit(commitOf(sampleJob(4), 0, { guards: again }))).toMatchObject({ ok: true });
      }));

    it("do not move with a commit that fails for another reason", () =>
      withStore(engine, async ({ jobs }) => {
        await jobs.commit(commitOf(sampleJob(1), 0));
        const guards = await jobs.guards(["a"]);
        expect(await jobs.commit(commitOf(sampleJob(1), 0, { guards }))).toEqual({ ok: false, why: "conflict" });
        expect(await jobs.commit(commitOf(sampleJob(2), 0, { guards }))).toMatchObject({ ok: true });
        expect(await jobs.load(jobId(2))).not.toBeNull();
      }));

    it("count what is taken at once up to the most, and all of it or nothing", () =>
      withStore(engine, async ({ usage }) => {
        const take = (at: number, count = 1) =>
          usage.take({ kind: "estimate", of: "ada" }, { most: 3, ms: 1_000, at, count });
        const taken = await Promise.all([1, 2, 3, 4, 5].map(() => take(START)));
        expect(taken.filter((after) => after === null).length).toBe(3);
        expect(taken.filter((after) => after === 1_000).length).toBe(2);
        expect(await take(START + 1_000, 4)).toBeNull();
        expect(await take(START + 1_001)).toBe(999);
      }));
  });
}
