/** The contract of keys, repositories and the inbox. */
import { describe, expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../../src/contracts/settings.ts";
import type { ObservedRepository } from "../../../src/domain/repository/repository.ts";
import type { PendingDelivery } from "../../../src/engine/ports/inbox.ts";
import type { StoredKey } from "../../../src/engine/ports/keys.ts";
import { forget, observe } from "../observed-repositories.ts";
import { type Engine, START, withStore } from "./sample.ts";

const key = (id: string, differs: Partial<StoredKey> = {}): StoredKey => ({
  id,
  hash: `hash of ${id}`,
  hint: "jm_ab",
  account: "ada",
  login: null,
  repository: null,
  repository_id: null,
  scopes: ["read", "write"],
  created_at: START,
  expires_at: null,
  last_used_at: null,
  replaces: null,
  replaced_by: null,
  ...differs,
});

const repository = (name: string, differs: Partial<ObservedRepository> = {}): ObservedRepository => ({
  owner: "Octo",
  name,
  id: 1,
  installation_id: 7,
  base: { branch: "main", head_sha: "a", tree_sha: "b", has_workflow: true },
  settings: DEFAULT_REPOSITORY_SETTINGS,
  settings_problem: null,
  ...differs,
});

const delivery = (id: string, at = START): PendingDelivery => ({
  id,
  at,
  event: { type: "uninstalled", installation_id: 7 },
});

export function describeKeys(engine: Engine): void {
  describe(`keys of ${engine.name}`, () => {
    it("finds a key by its hash until it is removed, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.keys.add(key("one"));
        await store.keys.add(key("two", { expires_at: START + 5, repository: "Octo/Hello", scopes: ["admin"] }));
        let { keys } = await reopen();
        expect(await keys.byHash("hash of two")).toEqual(
          key("two", { expires_at: START + 5, repository: "Octo/Hello", scopes: ["admin"] }),
        );
        expect(await keys.remove("two")).toEqual(["two"]);
        expect(await keys.remove("two")).toEqual([]);
        ({ keys } = await reopen());
        expect(await keys.byHash("hash of two")).toBeNull();
        expect(await keys.list()).toEqual([key("one")]);
      }));

    it("replaces a key once, and lets the old one end then or when it would anyway", () =>
      withStore(engine, async (store, reopen) => {
        await store.keys.add(key("one"));
        await store.keys.add(key("brief", { expires_at: START + 5 }));
        const next = (id: string, replaces: string) => key(id, { replaces });
        expect(await store.keys.replace(next("two", "one"), START + 50)).toBe(true);
        expect(await store.keys.replace(next("three", "one"), START + 60)).toBe(false);
        expect(await store.keys.replace(next("four", "never"), START + 60)).toBe(false);
        expect(await store.keys.replace(next("long", "brief"), START + 60)).toBe(true);
        const { keys } = await reopen();
        expect(await keys.byHash("hash of one")).toEqual(key("one", { expires_at: START + 50, replaced_by: "two" }));
        expect(await keys.byHash("hash of two")).toEqual(next("two", "one"));
        expect((await keys.byHash("hash of brief"))?.expires_at).toBe(START + 5);
        expect((await keys.list()).map(({ id }) => id).sort()).toEqual(["brief", "long", "one", "two"]);
      }));

    it("drops replaced keys that have ended when another one is replaced", () =>
      withStore(engine, async ({ keys }) => {
        await keys.add(key("one"));
        await keys.replace(key("two", { replaces: "one" }), START + 50);
        await keys.replace(key("three", { replaces: "two", created_at: START + 49 }), START + 99);
        expect(await keys.list()).toHaveLength(3);
        await keys.replace(key("four", { replaces: "three", created_at: START + 50 }), START + 99);
        expect((await keys.list()).map(({ id }) => id).sort()).toEqual(["four", "three", "two"]);
      }));

    it("knows accounts in one spelling", () =>
      withStore(engine, async (store, reopen) => {
        await store.keys.add(key("one", { account: "Ada" }));
        expect((await (await reopen()).keys.list())[0]?.account).toBe("ada");
      }));

    it("knows when a key was last used, at once and after a restart", () =>
      withStore(engine, async (store, reopen) => {
        await store.keys.add(key("one"));
        store.keys.touch("one", START + 50);
        store.keys.touch("one", START + 40);
        store.keys.touch("gone", START);
        expect((await store.keys.byHash("hash of one"))?.last_used_at).toBe(START + 50);
        expect((await (await reopen()).keys.list())[0]?.last_used_at).toBe(START + 50);
      }));
  });
}

export function describeAccounts(engine: Engine): void {
  describe(`accounts of ${engine.name}`, () => {
    it("stay with the number that came first, over new names and restarts", () =>
      withStore(engine, async (store, reopen) => {
        expect(await store.accounts.of({ id: 5, login: "Ada" })).toBe("ada");
        expect(await store.accounts.holder("ada")).toBeNull();
        const both = [store.accounts.tie({ id: 5, login: "Ada" }), store.accounts.tie({ id: 6, login: "ada" })];
        expect(await Promise.all(both)).toEqual([
          { account: "ada", first: true },
          { account: "ada@6", first: true },
        ]);
        let { accounts } = await reopen();
        expect(await accounts.tie({ id: 5, login: "countess" })).toEqual({ account: "ada", first: false });
        ({ accounts } = await reopen());
        expect(await accounts.holder("ada")).toEqual({ account: "ada", id: 5, login: "countess" });
        expect(await accounts.of({ id: 6, login: "ada" })).toBe("ada@6");
        expect(await accounts.of({ id: 7, login: "ADMIN" })).toBe("admin@github");
      }));
  });
}

export function describeRepositories(engine: Engine): void {
  describe(`repositories of ${engine.name}`, () => {
    it("finds a repository in any case of its name, replaces it and forgets it", () =>
      withStore(engine, async (store, reopen) => {
        await observe(store.repositories, repository("Hello"));
        await observe(
          store.repositories,
          repository("Hello", { base: null, settings: null, settings_problem: "broken" }),
        );
        await observe(store.repositories, repository("world", { id: 6, installation_id: 8 }));
        let { repositories } = await reopen();
        expect(await repositories.get("octo", "HELLO")).toMatchObject(
          repository("Hello", { base: null, settings: null, settings_problem: "broken" }),
        );
        expect(await repositories.ofInstallation(8)).toMatchObject([
          repository("world", { id: 6, installation_id: 8 }),
        ]);
        await forget(repositories, "OCTO", "hello");
        await forget(repositories, "octo", "never");
        ({ repositories } = await reopen());
        expect(await repositories.get("octo", "hello")).toBeNull();
        expect(await repositories.get("octo", "world")).not.toBeNull();
      }));

    it("finds a repository by its id, under whatever name it has now", () =>
      withStore(engine, async (store, reopen) => {
        await observe(store.repositories, repository("hello", { id: 11 }));
        await observe(store.repositories, repository("world", { id: 12 }));
        let { repositories } = await reopen();
        expect(await repositories.byId(12)).toMatchObject(repository("world", { id: 12 }));
        expect(await repositories.byId(13)).toBeNull();
        await forget(repositories, "octo", "world");
        expect(await repositories.byId(12)).toBeNull();
        await observe(repositories, repository("earth", { id: 12 }));
        ({ repositories } = await reopen());
        expect(await repositories.byId(12)).toMatchObject(repository("earth", { id: 12 }));
      }));

    it("keeps a strange name apart from every other", () =>
      withStore(engine, async (store, reopen) => {
        await observe(store.repositories, repository("..", { id: 1, owner: ".." }));
        await observe(store.repositories, repository("b/c", { id: 2, owner: "a" }));
        await observe(store.repositories, repository("c", { id: 3, owner: "a" }));
        const { repositories } = await reopen();
        expect(await repositories.get("..", "..")).not.toBeNull();
        expect((await repositories.get("a", "c"))?.name).toBe("c");
      }));
  });
}

export function describeInbox(engine: Engine): void {
  describe(`the inbox of ${engine.name}`, () => {
    it("records a delivery once, also when it comes again after a restart or after it was done", () =>
      withStore(engine, async (store, reopen) => {
        expect(await store.inbox.record(delivery("a"))).toBe("new");
        expect(await store.inbox.record(delivery("a"))).toBe("duplicate");
        let { inbox } = await reopen();
        expect(await inbox.record(delivery("a"))).toBe("duplicate");
        await inbox.done("a");
        expect(await inbox.record(delivery("a"))).toBe("duplicate");
        ({ inbox } = await reopen());
        expect(await inbox.record(delivery("a"))).toBe("duplicate");
        expect(await inbox.unknown(["a"])).toEqual([]);
        expect(await inbox.unknown(["b"])).toEqual(["b"]);
        expect(await inbox.pending()).toEqual([]);
      }));

    it("says new to one of many that bring the same delivery at once", () =>
      withStore(engine, async ({ inbox }) => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => inbox.record(delivery("a"))));
        expect(answers.filter((answer) => answer === "new")).toHaveLength(1);
      }));

    it("finds what is not done yet after a restart, oldest first", () =>
      withStore(engine, async (store, reopen) => {
        await Promise.all(Array.from({ length: 30 }, (_, i) => store.inbox.record(delivery(`${i}`, START + i))));
        for (let i = 0; i < 30; i++) if (i % 10 !== 3) await store.inbox.done(`${i}`);
        await store.inbox.done("never recorded");
        const { inbox } = await reopen();
        expect(await inbox.pending()).toEqual([3, 13, 23].map((i) => delivery(`${i}`, START + i)));
        expect(await inbox.backlog()).toEqual({ count: 3, oldest_at: START + 3 });
        for (const { id } of await inbox.pending()) await inbox.done(id);
        expect(await inbox.backlog()).toEqual({ count: 0, oldest_at: null });
      }));

    it("knows a delivery for as long as GitHub may send it again, and not for ever", () => {
      const day = 24 * 3_600_000;
      const time = { now: START };
      return withStore(
        engine,
        async ({ inbox }, reopen) => {
          await inbox.record(delivery("a"));
          await inbox.done("a");
          time.now = START + 3 * day;
          expect(await (await reopen()).inbox.unknown(["a"])).toEqual([]);
          time.now = START + 5 * day;
          expect(await (await reopen()).inbox.unknown(["a"])).toEqual(["a"]);
        },
        () => time.now,
      );
    });
  });
}
