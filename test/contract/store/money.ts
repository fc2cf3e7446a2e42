/** The contract of balances. */
import { describe, expect, it } from "vitest";
import { charge, credit, escrowAccount, payout, refund, userAccount } from "../../../src/domain/market/ledger.ts";
import type { Store } from "../../../src/engine/ports/store.ts";
import { commitOf, type Engine, jobId, keep, sampleJob, withStore } from "./sample.ts";

const give = (store: Store, account: string, cents: number) =>
  keep(store.jobs, sampleJob(`give${account}`), { postings: credit(account, cents) });

export function describeMoney(engine: Engine): void {
  describe(`balances of ${engine.name}`, () => {
    it("lets 50 parallel charges take what is there and no more", () =>
      withStore(engine, async (store, reopen) => {
        await give(store, "ada", 1_000);
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, id) =>
            store.jobs.commit(commitOf(sampleJob(id), 0, { postings: charge("ada", jobId(id), 300) })),
          ),
        );
        expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
        for (const answer of answers)
          if (!answer.ok) expect(answer).toEqual({ ok: false, why: "insufficient", account: "user:ada" });
        const check = async ({ jobs }: Store) => {
          expect(await jobs.balance(userAccount("ada"))).toBe(100);
          expect(await jobs.balance("outside")).toBe(-1_000);
          expect(await jobs.count()).toBe(4);
        };
        await check(store);
        await check(await reopen());
      }));

    it("writes nothing of a commit that cannot be paid", () =>
      withStore(engine, async ({ jobs }, reopen) => {
        const before = await keep(jobs, sampleJob(1));
        const answer = await jobs.commit(
          commitOf(sampleJob(1, { title: "paid" }), 1, { postings: charge("ada", jobId(1), 100) }),
        );
        expect(answer).toMatchObject({ ok: false, why: "insufficient" });
        expect(await jobs.load(jobId(1))).toEqual(before);
        expect(await (await reopen()).jobs.load(jobId(1))).toEqual(before);
      }));

    it("lets a balance go to exactly zero, and judges a commit by its sum", () =>
      withStore(engine, async (store) => {
        await give(store, "ada", 100);
        await keep(store.jobs, sampleJob(1), { postings: charge("ada", jobId(1), 100) });
        expect(await store.jobs.balance(userAccount("ada"))).toBe(0);
        const both = [...charge("ada", jobId(2), 100), ...refund("ada", jobId(1), 100)];
        expect(await store.jobs.commit(commitOf(sampleJob(2), 0, { postings: both }))).toMatchObject({ ok: true });
      }));

    it("pays out of the escrow, and finds every balance after a restart", () =>
      withStore(engine, async (store, reopen) => {
        await give(store, "ada", 1_000);
        await keep(store.jobs, sampleJob(1), { postings: charge("ada", jobId(1), 1_000) });
        expect(await store.jobs.balance(escrowAccount(jobId(1)))).toBe(1_000);
        await keep(store.jobs, sampleJob(1), { postings: payout("bob", jobId(1), 1_000) });
        const { jobs } = await reopen();
        expect(await jobs.balance(escrowAccount(jobId(1)))).toBe(0);
        expect(await jobs.balance(userAccount("bob"))).toBe(750);
        expect(await jobs.balance("fees")).toBe(250);
      }));
  });
}
