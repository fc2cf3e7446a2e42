/** The contract of what single accounts may spend. */
import { describe, expect, it } from "vitest";
import { type Engine, withStore } from "./sample.ts";

export function describeAccountLimits(engine: Engine): void {
  describe(`budgets of accounts in ${engine.name}`, () => {
    it("are those that were set last, in any case of the name, until they are removed, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        expect(store.accountLimits.any()).toBe(false);
        await store.accountLimits.set("Ada", { day_cents: 100, month_cents: 2_000 });
        await store.accountLimits.set("ada", { day_cents: 200, month_cents: null });
        await store.accountLimits.set("repository@7", { day_cents: null, month_cents: null });
        for (const { accountLimits } of [store, await reopen()]) {
          expect(accountLimits.any()).toBe(true);
          expect(await accountLimits.all()).toEqual([
            { account: "ada", day_cents: 200, month_cents: null },
            { account: "repository@7", day_cents: null, month_cents: null },
          ]);
          expect(await accountLimits.get("ADA")).toEqual({ day_cents: 200, month_cents: null });
          expect(await accountLimits.get("repository@7")).toEqual({ day_cents: null, month_cents: null });
          expect(await accountLimits.get("bob")).toBeNull();
        }
        const { accountLimits } = await reopen();
        expect(await accountLimits.remove("ADA")).toBe(true);
        expect(await accountLimits.remove("ada")).toBe(false);
        expect(await accountLimits.remove("repository@7")).toBe(true);
        for (const { accountLimits: left } of [{ accountLimits }, await reopen()]) {
          expect(left.any()).toBe(false);
          expect(await left.get("ada")).toBeNull();
        }
      }));
  });
}
