/** The contract of subscriptions: who receives which events. */
import { describe, expect, it } from "vitest";
import type { StoredSubscription, SubscriptionStore } from "../../../src/engine/ports/subscriptions.ts";
import { type Engine, START, withStore } from "./sample.ts";

const MOST = 3;
const HELLO = { owner: "Octo", name: "Hello" };

export const subscription = (id: string, differs: Partial<StoredSubscription> = {}): StoredSubscription => ({
  id,
  version: 1,
  account: "ada",
  format: "journeyman",
  url: `https://example.com/${id}`,
  sealed_url: null,
  events: null,
  repository: null,
  repository_id: null,
  created_at: START,
  disabled: null,
  secret: `sealed ${id}`,
  old_secret: null,
  ...differs,
});

/** As whoever has read it changes it. */
async function change(
  subscriptions: SubscriptionStore,
  id: string,
  differs: Partial<StoredSubscription>,
): Promise<StoredSubscription | null> {
  const before = await subscriptions.get(id);
  return before === null ? null : subscriptions.replace({ ...before, ...differs });
}

const ids = (subscriptions: readonly StoredSubscription[]): string[] => subscriptions.map(({ id }) => id).sort();

export function describeSubscriptions(engine: Engine): void {
  describe(`subscriptions of ${engine.name}`, () => {
    it("finds one by its id until it is removed, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        const whole = subscription("b", {
          ...{ events: ["job.merged"], repository: "Octo/Hello", disabled: { at: START, reason: "Gone." } },
          old_secret: { secret: "sealed before", until: START + 5 },
        });
        expect(await store.subscriptions.add(subscription("a"), MOST)).toBe(true);
        expect(await store.subscriptions.add(whole, MOST)).toBe(true);
        const { subscriptions } = await reopen();
        expect(await subscriptions.get("b")).toEqual(whole);
        expect(await subscriptions.remove("b")).toBe(true);
        expect(await subscriptions.remove("b")).toBe(false);
        expect(await subscriptions.get("b")).toBeNull();
        expect(ids(await (await reopen()).subscriptions.list())).toEqual(["a"]);
      }));

    it("tells those of the account, of the repository in any case, and of the event alone", () =>
      withStore(engine, async (store, reopen) => {
        await store.subscriptions.add(subscription("all"), 100);
        await store.subscriptions.add(subscription("merged", { events: ["job.merged", "job.failed"] }), 100);
        await store.subscriptions.add(subscription("here", { repository: "octo/HELLO" }), 100);
        await store.subscriptions.add(subscription("there", { repository: "octo/other" }), 100);
        await store.subscriptions.add(subscription("off", { disabled: { at: START, reason: "Gone." } }), 100);
        await store.subscriptions.add(subscription("own", { url: null }), 100);
        await store.subscriptions.add(subscription("bob", { account: "bob" }), 100);
        for (const { subscriptions } of [store, await reopen()]) {
          expect(ids(await subscriptions.matching("ada", HELLO, "job.merged"))).toEqual(["all", "here", "merged"]);
          expect(ids(await subscriptions.matching("ada", HELLO, "job.queued"))).toEqual(["all", "here"]);
          expect(ids(await subscriptions.matching("bob", HELLO, "job.queued"))).toEqual(["bob"]);
          expect(await subscriptions.matching("eve", HELLO, "job.queued")).toEqual([]);
        }
      }));

    it("tells what a repository does by itself to those who are tied to it, as long as they are", () =>
      withStore(engine, async (store, reopen) => {
        const own = { ...HELLO, id: 42 };
        await store.subscriptions.add(subscription("tied", { repository: "octo/hello", repository_id: 42 }), MOST);
        await store.subscriptions.add(
          subscription("bob", { account: "bob", repository: "octo/hello", repository_id: 42 }),
          1,
        );
        await store.subscriptions.add(subscription("free"), MOST);
        for (const { subscriptions } of [store, await reopen()])
          expect(ids(await subscriptions.matching("repository@42", own, "job.merged"))).toEqual(["bob", "tied"]);
        const { subscriptions } = await reopen();
        await change(subscriptions, "tied", { repository: "octo/other", repository_id: 43 });
        await subscriptions.remove("bob");
        expect(await subscriptions.matching("repository@42", own, "job.merged")).toEqual([]);
        expect(ids(await subscriptions.matching("repository@43", { ...own, id: 43 }, "schedule.paused"))).toEqual([
          "tied",
        ]);
        expect(ids(await subscriptions.list("ada"))).toEqual(["free", "tied"]);
        expect(ids(await subscriptions.list())).toEqual(["free", "tied"]);
      }));

    it("tells chats that name no events of those that a person wants", () =>
      withStore(engine, async (store, reopen) => {
        const chat = { format: "discord", url: "https://example.com/…", sealed_url: "sealed address" } as const;
        await store.subscriptions.add(subscription("chat", chat), MOST);
        await store.subscriptions.add(subscription("named", { ...chat, events: ["job.queued"] }), MOST);
        for (const { subscriptions } of [store, await reopen()]) {
          expect(await subscriptions.get("chat")).toMatchObject(chat);
          expect(ids(await subscriptions.matching("ada", HELLO, "job.merged"))).toEqual(["chat"]);
          expect(ids(await subscriptions.matching("ada", HELLO, "job.queued"))).toEqual(["named"]);
        }
      }));

    it("tells of a repository by its number, whatever it is called, and nothing of another that has its name", () =>
      withStore(engine, async (store, reopen) => {
        await store.subscriptions.add(subscription("bound", { repository: "octo/hello", repository_id: 42 }), MOST);
        await store.subscriptions.add(subscription("older", { repository: "octo/hello" }), MOST);
        const { subscriptions } = await reopen();
        const told = async (id: number, name = "hello") =>
          ids(await subscriptions.matching("ada", { owner: "octo", name, id }, "job.queued"));
        expect(await told(42)).toEqual(["bound", "older"]);
        expect(await told(42, "renamed")).toEqual(["bound"]);
        expect(await told(43)).toEqual(["older"]);
      }));

    it("keeps no more with an address than an account may have, and lists them oldest first", () =>
      withStore(engine, async ({ subscriptions }) => {
        for (const [index, id] of ["c", "a", "b"].entries())
          expect(await subscriptions.add(subscription(id, { created_at: START + index }), MOST)).toBe(true);
        expect(await subscriptions.add(subscription("d"), MOST)).toBe(false);
        expect(await subscriptions.get("d")).toBeNull();
        expect(await subscriptions.add(subscription("own", { url: null }), MOST)).toBe(true);
        expect(await subscriptions.add(subscription("bob", { account: "bob" }), MOST)).toBe(true);
        expect((await subscriptions.list("ada")).map(({ id }) => id)).toEqual(["c", "a", "b"]);
        expect(ids(await subscriptions.list())).toEqual(["a", "b", "bob", "c"]);
        await expect(subscriptions.add(subscription("own", { url: null }), MOST)).rejects.toThrow("exists");
      }));

    it("replaces one as it was read, and the changed one receives events from then on", () =>
      withStore(engine, async (store, reopen) => {
        await store.subscriptions.add(subscription("a"), MOST);
        const changed = await change(store.subscriptions, "a", { events: ["job.failed"] });
        expect(changed).toMatchObject({ events: ["job.failed"], version: 2 });
        expect(await store.subscriptions.replace(subscription("a", { events: ["job.queued"] }))).toBeNull();
        expect(await store.subscriptions.replace(subscription("b"))).toBeNull();
        const twice = [1, 2].map((n) => change(store.subscriptions, "a", { repository_id: n }));
        expect((await Promise.all(twice)).filter((answer) => answer !== null)).toHaveLength(1);
        for (const { subscriptions } of [store, await reopen()]) {
          expect(await subscriptions.matching("ada", HELLO, "job.queued")).toEqual([]);
          expect(ids(await subscriptions.matching("ada", HELLO, "job.failed"))).toEqual(["a"]);
        }
      }));
  });
}
