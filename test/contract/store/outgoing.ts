/** The contract of outgoing deliveries: recorded once, stored with their outcome, and deleted in the end. */
import { describe, expect, it } from "vitest";
import type { NewDelivery, OutgoingStore, StoredDelivery } from "../../../src/engine/ports/outgoing-deliveries.ts";
import { type Engine, jobId, START, withStore } from "./sample.ts";

const DAY = 24 * 3_600_000;

const delivery = (id: string, differs: Partial<NewDelivery> = {}): NewDelivery => ({
  id,
  subscription: "wh_a",
  url: null,
  event: "job.created",
  job: jobId("1"),
  at: START,
  body: `{"about":"${id}\\t","more":"é ✓ \\n"}`,
  ...differs,
});

const FAILED = { at: START + 10, took_ms: 7, status: 500, error: null };
const WELL = { at: START + 20, took_ms: 5, status: 204, error: null };
const DELIVERED = { state: "delivered", at: null } as const;
const ids = (deliveries: readonly StoredDelivery[]): string[] => deliveries.map(({ id }) => id);

async function allPages(outgoing: OutgoingStore, subscription: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await outgoing.list({ subscription, limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.deliveries.length).toBeLessThanOrEqual(limit);
    found.push(...ids(page.deliveries));
    cursor = page.cursor;
  }
  return found;
}

export function describeOutgoing(engine: Engine): void {
  describe(`outgoing deliveries of ${engine.name}`, () => {
    it("records each once, whoever brings it again, and answers the new ones", () =>
      withStore(engine, async (store, reopen) => {
        expect(ids(await store.outgoing.record([delivery("a"), delivery("b")]))).toEqual(["a", "b"]);
        await store.outgoing.attempted("a", WELL, DELIVERED);
        expect(ids(await store.outgoing.record([delivery("b"), delivery("c"), delivery("a")]))).toEqual(["c"]);
        const { outgoing } = await reopen();
        expect(await outgoing.record([delivery("a"), delivery("b"), delivery("c")])).toEqual([]);
        expect((await outgoing.get("a"))?.state).toBe("delivered");
        expect(await outgoing.record([])).toEqual([]);
      }));

    it("answers new to one of many that bring the same at once", () =>
      withStore(engine, async ({ outgoing }) => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => outgoing.record([delivery("a")])));
        expect(answers.flat()).toHaveLength(1);
      }));

    it("gives back the body byte by byte, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.outgoing.record([delivery("a"), delivery("b"), delivery("c", { body: delivery("a").body })]);
        for (const { outgoing } of [store, await reopen()]) {
          for (const id of ["a", "b"]) expect(await outgoing.body(id)).toBe(delivery(id).body);
          expect(await outgoing.body("c")).toBe(delivery("a").body);
          expect(await outgoing.body("unknown")).toBeNull();
        }
      }));

    it("keeps what became of each, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.outgoing.record([delivery("a"), delivery("b", { url: "https://example.com/", job: null })]);
        expect(await store.outgoing.attempted("a", FAILED, { state: "pending", at: START + 5_000 })).toBe(true);
        expect(await store.outgoing.attempted("b", FAILED, { state: "dead", at: null })).toBe(true);
        expect(await store.outgoing.attempted("unknown", WELL, DELIVERED)).toBe(false);
        const { outgoing } = await reopen();
        const { body: _, ...a } = delivery("a");
        const tried = { attempts: [FAILED], since: START, tries: 1 };
        expect(await outgoing.get("a")).toEqual({ ...a, ...tried, state: "pending", next_at: START + 5_000 });
        expect(await outgoing.pending()).toEqual([await outgoing.get("a")]);
        expect(await outgoing.get("b")).toMatchObject({ ...tried, state: "dead", next_at: null, job: null });
        await outgoing.attempted("a", WELL, DELIVERED);
        const later = await reopen();
        expect(await later.outgoing.get("a")).toMatchObject({ attempts: [FAILED, WELL], tries: 2, state: "delivered" });
        expect(await later.outgoing.pending()).toEqual([]);
      }));

    it("begins another series of attempts at a replay, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.outgoing.record([delivery("a")]);
        await store.outgoing.attempted("a", FAILED, { state: "dead", at: null });
        const again = { state: "pending", since: START + 99, next_at: START + 99, tries: 0, attempts: [FAILED] };
        expect(await store.outgoing.replay("a", START + 99)).toMatchObject(again);
        expect(await store.outgoing.replay("unknown", START)).toBeNull();
        const { outgoing } = await reopen();
        expect(await outgoing.get("a")).toMatchObject(again);
        expect(ids(await outgoing.pending())).toEqual(["a"]);
      }));

    it("lists those of one subscription newest first, each once, through pages of any length", () =>
      withStore(engine, async (store, reopen) => {
        const all = Array.from({ length: 25 }, (_, index) => delivery(`d${index}`, { at: START + (index >> 1) }));
        for (const one of all) await store.outgoing.record([one, { ...one, id: `x${one.id}`, subscription: "wh_b" }]);
        const { outgoing } = await reopen();
        const expected = all.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
        for (const limit of [1, 7, 25, 100]) expect(await allPages(outgoing, "wh_a", limit)).toEqual(expected);
        const foreign = await outgoing.list({ subscription: "wh_a", limit: 5, cursor: "none of ours" });
        expect(foreign).toEqual({ deliveries: [], cursor: null });
        expect(await outgoing.list({ subscription: "wh_c", limit: 5 })).toEqual({ deliveries: [], cursor: null });
      }));

    it("forgets what is finished after seven days, and never what is still to be sent", () => {
      const time = { now: START };
      return withStore(
        engine,
        async (store) => {
          await store.outgoing.record([delivery("done"), delivery("pending")]);
          await store.outgoing.attempted("done", WELL, DELIVERED);
          time.now = START + 7 * DAY - 1;
          expect((await store.outgoing.get("done"))?.state).toBe("delivered");
          time.now = START + 7 * DAY;
          expect(await store.outgoing.get("done")).toBeNull();
          expect((await store.outgoing.get("pending"))?.state).toBe("pending");
          expect(await store.outgoing.body("pending")).toBe(delivery("pending").body);
        },
        () => time.now,
      );
    });
  });
}
