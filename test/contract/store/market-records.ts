/** The contract of the market's records: money, agents, quotes, attachment blobs, and the queue. */
import { describe, expect, it } from "vitest";
import type { JobId } from "../../../src/domain/job/job.ts";
import { charge, credit, refund, userAccount } from "../../../src/domain/market/ledger.ts";
import type { Quote } from "../../../src/engine/ports/estimates.ts";
import type { Store } from "../../../src/engine/ports/store.ts";
import type { UsageKind } from "../../../src/engine/ports/usage.ts";
import { type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

const use = (usage: Store["usage"], kind: UsageKind, of: string, at: number) =>
  usage.take({ kind, of }, { most: Number.POSITIVE_INFINITY, ms: 24 * 3_600_000, at });

const ADA = userAccount("ada");
const entry = (id: string, cents: number, at = START) => ({
  ...{ id, at, postings: credit("ada", cents), note: null },
});

export function describeMarketMoney(engine: Engine): void {
  describe(`money of no job in ${engine.name}`, () => {
    it("books an entry once, whoever comes with it how often, and knows it after a restart", () =>
      withStore(engine, async (store, reopen) => {
        const answers = await Promise.all(Array.from({ length: 5 }, () => store.wallet.post(entry("a", 100))));
        expect(answers.toSorted()).toEqual(["known", "known", "known", "known", "posted"]);
        const again = await reopen();
        expect(await again.wallet.post(entry("a", 100))).toBe("known");
        expect([await again.wallet.balance(ADA), await again.jobs.balance(ADA)]).toEqual([100, 100]);
      }));

    it("lets jobs spend what came in, and no more", () =>
      withStore(engine, async (store, reopen) => {
        await store.wallet.post(entry("a", 100));
        await keep(store.jobs, sampleJob(1), { postings: charge("ada", jobId(1), 60) });
        const { jobs } = await reopen();
        const more = { expected_version: 0, at: START, history: [], effects: [], done: null };
        const answer = await jobs.commit({ ...more, job: sampleJob(2), postings: charge("ada", jobId(2), 60) });
        expect(answer).toEqual({ ok: false, why: "insufficient", account: ADA });
      }));

    it("takes from no user", () =>
      withStore(engine, async ({ wallet }) => {
        await wallet.post(entry("a", 100));
        await expect(wallet.post({ ...entry("b", 0), postings: refund("x", jobId(1), -50) })).rejects.toThrow();
        expect(await wallet.balance(ADA)).toBe(100);
      }));

    it("pages through what moved an account, newest first, each movement once, under ids that last", () =>
      withStore(engine, async (store, reopen) => {
        for (let number = 0; number < 5; number++) await store.wallet.post(entry(`w${number}`, 100, START + number));
        await keep(store.jobs, sampleJob(1), { at: START + 9, postings: charge("ada", jobId(1), 60) });
        await keep(store.jobs, sampleJob(1), { at: START + 9, postings: refund("ada", jobId(1), 60) });
        const walk = async ({ wallet }: typeof store) => {
          const rows = [];
          let cursor: string | null = null;
          do {
            const page: Awaited<ReturnType<typeof wallet.ledger>> = await wallet.ledger(ADA, {
              limit: 2,
              ...(cursor === null ? {} : { cursor }),
            });
            rows.push(...page.rows);
            cursor = page.cursor;
          } while (cursor !== null);
          return rows;
        };
        const rows = await walk(store);
        expect(rows.map(({ cents }) => cents)).toEqual([60, -60, 100, 100, 100, 100, 100]);
        expect(new Set(rows.map(({ id }) => id)).size).toBe(7);
        expect(rows.map(({ job }) => job).slice(0, 3)).toEqual([jobId(1), jobId(1), null]);
        const again = await reopen();
        expect(await walk(again)).toEqual(rows);
        expect(await again.wallet.ledger(userAccount("eve"), { limit: 2 })).toEqual({ rows: [], cursor: null });
      }));
  });
}

const quote = (id: string, differs: Partial<Quote> = {}): Quote => ({
  ...{ id: id.padEnd(24, "0"), account: "ada", body: "b".repeat(64), prompt: "c".repeat(64), job_id: jobId(id) },
  ...{ at: START, title: "t", description: "d", requirements: "r", skills: ["go"], price_cents: 500 },
  ...{ time_limit_seconds: 60, by: "estimate" as const },
  ...differs,
});

export function describeMarketRooms(engine: Engine): void {
  describe(`what the market keeps in ${engine.name}`, () => {
    it("finds a quote by its id, and the newest for a body, else for a prompt, of its account alone", () => {
      const time = { now: START };
      return withStore(
        engine,
        async (store, reopen) => {
          await store.quotes.add(quote("1"));
          await store.quotes.add(quote("2", { at: START + 1 }));
          await store.quotes.add(quote("3", { at: START + 2, body: "d".repeat(64) }));
          const asked = { body: "b".repeat(64), prompt: "c".repeat(64) };
          const check = async ({ quotes }: typeof store) => {
            expect(await quotes.byId(quote("1").id)).toEqual(quote("1"));
            expect((await quotes.newest("ada", asked))?.id).toBe(quote("2").id);
            expect((await quotes.newest("ada", { ...asked, body: "e".repeat(64) }))?.id).toBe(quote("3").id);
            expect(await quotes.newest("eve", asked)).toBeNull();
          };
          await check(store);
          await check(await reopen());
          time.now = START + 24 * 3_600_000;
          const { quotes } = await reopen();
          expect(await quotes.byId(quote("1").id)).toBeNull();
          expect(await quotes.byId(quote("3").id)).not.toBeNull();
        },
        () => time.now,
      );
    });

    it("counts what was done within a day for each name and kind, over restarts, and nothing older", () => {
      const day = 24 * 3_600_000;
      const time = { now: START + 10 };
      return withStore(
        engine,
        async (store, reopen) => {
          for (const at of [START, START + 1, START + 2]) await use(store.usage, "round", "ada", at);
          await use(store.usage, "round", "eve", START + 3);
          await use(store.usage, "estimate", "ada", START + 4);
          const check = async ({ usage }: typeof store) => {
            expect(await Promise.all([1, 2, 3, 4].map((n) => usage.nthNewest("round", "ada", n)))).toEqual([
              START + 2,
              START + 1,
              START,
              null,
            ]);
            expect(await Promise.all([1, 2].map((n) => usage.nthNewest("round", "eve", n)))).toEqual([START + 3, null]);
            expect(await usage.nthNewest("estimate", "ada", 1)).toBe(START + 4);
            expect(await usage.nthNewest("reaction-to-person", "ada", 1)).toBeNull();
          };
          await check(store);
          const again = await reopen();
          await check(again);
          time.now = START + day + 1;
          expect(await Promise.all([1, 2].map((n) => again.usage.nthNewest("round", "ada", n)))).toEqual([
            START + 2,
            null,
          ]);
          const { usage } = await reopen();
          expect(await Promise.all([1, 2].map((n) => usage.nthNewest("round", "ada", n)))).toEqual([START + 2, null]);
          for (let n = 0; n < 1_000; n++) await use(usage, "round", "ada", time.now + n);
          expect(await usage.nthNewest("round", "ada", 1_000)).toBe(time.now);
        },
        () => time.now,
      );
    });

    it("counts nothing in the future, where the clock was set back", () => {
      const time = { now: START };
      return withStore(
        engine,
        async (store, reopen) => {
          await use(store.usage, "round", "ada", START);
          time.now = START - 3_600_000;
          const { usage } = await reopen();
          expect(await usage.nthNewest("round", "ada", 1)).toBe(time.now);
        },
        () => time.now,
      );
    });

    it("keeps the agents of an account, oldest first, whatever the case of its name", () =>
      withStore(engine, async (store, reopen) => {
        const agent = (id: string, skills: string[] = []) => ({
          id,
          account: "ada",
          name: id,
          skills,
          created_at: START,
        });
        await store.agents.put(agent("x"));
        await store.agents.put(agent("y"));
        await store.agents.put(agent("x", ["go"]));
        const { agents } = await reopen();
        expect(await agents.list("Ada")).toEqual([agent("x", ["go"]), agent("y")]);
        expect(await agents.list("eve")).toEqual([]);
      }));

    it("keeps attachment blobs of a job, the same one once, until they are removed", () =>
      withStore(engine, async (store, reopen) => {
        const put = async (job: JobId, text: string) => {
          const answer = await store.blobs.put(job, text, { account: "ada", most: 3 });
          if (typeof answer === "string") throw new Error("there is room");
          return answer.name;
        };
        const [one, same, other] = [await put(jobId(1), "a"), await put(jobId(1), "a"), await put(jobId(2), "a")];
        expect(same).toBe(one);
        const { blobs } = await reopen();
        expect(await blobs.get(jobId(1), one)).toBe("a");
        expect(await blobs.all()).toHaveLength(2);
        await blobs.remove(jobId(1), [one, "0".repeat(32)]);
        expect(await blobs.get(jobId(1), one)).toBeNull();
        expect(await blobs.all()).toEqual([{ job: jobId(2), name: other }]);
      }));

    it("keeps no more for an account than it may have, whatever its name, and for others as well", () =>
      withStore(engine, async (store, reopen) => {
        for (const account of ["ada@5", "eve"])
          expect(await store.blobs.put(jobId(1), `of ${account}`, { account, most: 10 })).toMatchObject({});
        const more = (blobs: typeof store.blobs, account: string) =>
          blobs.put(jobId(2), "abcdefgh", { account, most: 10 });
        expect(await more(store.blobs, "ada@5")).toBe("too_much");
        const { blobs } = await reopen();
        expect(await more(blobs, "ada@5")).toBe("too_much");
        expect(await more(blobs, "bob")).toMatchObject({});
        for (const { job, name } of await blobs.all()) await blobs.remove(job, [name]);
        expect(await more(blobs, "ada@5")).toMatchObject({});
      }));

    it("offers queued jobs of the market, a hold that is over among them, and after a restart the same", () => {
      const time = { now: START };
      return withStore(
        engine,
        async (store, reopen) => {
          const market = { ...onMarket(), status: "queued" } as const;
          const hold = { agent_id: "x", account: "bob", expires_at: START + 30 };
          await keep(store.jobs, sampleJob(1, { ...market, price_cents: 100 }));
          await keep(store.jobs, sampleJob(2, { ...market, price_cents: 300, status: "held", ...onMarket({ hold }) }));
          await keep(
            store.jobs,
            sampleJob(3, { ...market, price_cents: 200, ...onMarket({ presented_to_agents: ["y"] }) }),
          );
          await keep(store.jobs, sampleJob(4, { ...market, price_cents: 150, ...onMarket({ skills: ["go"] }) }));
          await keep(store.jobs, sampleJob(5, { status: "queued", price_cents: 900 }));
          await keep(store.jobs, sampleJob(6, { ...market, status: "accepted" }));
          const check = async ({ jobs }: typeof store) => {
            const claim = (agent_id: string, skills: string[] = []) =>
              jobs.claim({ agent_id, skills, repository: null });
            const offered = async (agent_id: string, skills: string[]) => {
              const claimed = await claim(agent_id, skills);
              await claimed?.release();
              return claimed?.id;
            };
            time.now = START;
            expect(await offered("x", [])).toBe(jobId(3));
            expect(await offered("y", [])).toBe(jobId(4));
            expect(await offered("x", ["go"])).toBe(jobId(4));
            const claims = [await claim("y"), ...(await Promise.all([claim("y"), claim("y")])), await claim("y")];
            expect(claims.map((one) => one?.id ?? null)).toEqual([jobId(4), jobId(1), jobId(3), null]);
            for (const one of claims) await one?.release();
            expect(await jobs.claim({ agent_id: "x", skills: [], repository: "no/where" })).toBeNull();
            time.now = START + 30;
            expect(await offered("y", [])).toBe(jobId(2));
          };
          await check(store);
          await check(await reopen());
        },
        () => time.now,
      );
    });
  });
}
