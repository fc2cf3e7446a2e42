/** Slots shared by tenants: random sets of them, with work that ends in any order. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createFairQueue } from "../../src/store/lowdb/fair-queue.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to. */
function crowd(places: number) {
  const turns = createFairQueue(places);
  const begun: { readonly tenant: number; readonly number: number; readonly end: () => void }[] = [];
  const ended = new Set<number>();
  let number = 0;
  return {
    begun,
    busy: () => begun.filter((one) => !ended.has(one.number)),
    ask(tenant: number) {
      const mine = number++;
      void turns.take(tenant, () => new Promise<void>((end) => void begun.push({ tenant, number: mine, end })));
      return mine;
    },
    end(one: { readonly number: number; readonly end: () => void }) {
      ended.add(one.number);
      one.end();
    },
  };
}

it("gives a tenant that comes while another is busy its place at once", async () => {
  const { ask, busy } = crowd(20);
  for (let count = 0; count < 1_000; count++) ask(1);
  await settle();
  expect(busy()).toHaveLength(10);
  ask(2);
  await settle();
  expect(busy().filter(({ tenant }) => tenant === 2)).toHaveLength(1);
});

it("serves those who wait in turn, and each one's own in their order", async () => {
  const { ask, begun, end } = crowd(1);
  for (const tenant of [1, 1, 1, 2, 2, 3]) ask(tenant);
  for (let count = 0; count < 6; count++) {
    await settle();
    const next = begun[count];
    if (next !== undefined) end(next);
  }
  expect(begun.map(({ tenant }) => tenant)).toEqual([1, 1, 2, 3, 1, 2]);
  expect(begun.map(({ number }) => number)).toEqual([0, 1, 3, 5, 2, 4]);
});

it("never has more under way than there are places, leaves none idle for ever and forgets nobody", async () => {
  const step = fc.oneof(
    fc.nat(4).map((tenant) => ({ ask: tenant })),
    fc.nat(50).map((which) => ({ end: which })),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 80 }), async (places, steps) => {
      const { ask, busy, begun, end } = crowd(places);
      let wanted = 0;
      for (const one of steps) {
        if ("ask" in one) {
          ask(one.ask);
          wanted += 1;
        } else {
          const now = busy();
          const ending = now[one.end % Math.max(1, now.length)];
          if (ending !== undefined) end(ending);
        }
        await settle();
        expect(busy().length).toBeLessThanOrEqual(places);
        expect(busy().length > 0).toBe(wanted > begun.length - busy().length);
      }
      for (let rest = busy(); rest.length > 0; rest = busy()) {
        for (const one of rest) end(one);
        await settle();
      }
      expect(begun).toHaveLength(wanted);
    }),
  );
});

it("gives the place back where work fails", async () => {
  const turns = createFairQueue(1);
  await expect(turns.take(1, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(turns.take(1, async () => "done")).resolves.toBe("done");
});
