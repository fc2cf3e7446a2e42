/** What every work queue of a store does. */
import { describe, expect, it } from "vitest";
import type { Store } from "../../../src/engine/ports/store.ts";
import type { Task, TaskAnswer, TaskHandler, TaskKind, TaskRun } from "../../../src/engine/ports/work-queue.ts";
import { type HandClock, stillClock } from "../../flows/clock.ts";
import { until } from "../../flows/harness.ts";
import { withIdle } from "../../worked-queue.ts";
import { type Engine, jobId, keep, type Place, sampleJob } from "./sample.ts";

const SLOTS = 10;
/** Longer than any wait after a run that threw. */
const LONG_MS = 3_600_000;

interface Begun extends Pick<TaskRun, "again" | "failures" | "signal"> {
  readonly kind: TaskKind;
  readonly key: string;
  end(answer?: TaskAnswer): void;
  fail(): void;
}

interface World {
  readonly clock: HandClock;
  readonly store: Store;
  readonly begun: Begun[];
  readonly failed: string[];
  /** Those that have begun and not ended. */
  under_way(): readonly Begun[];
  keys(): readonly string[];
  /** Waits for the n-th run to begin. */
  nth(n: number): Promise<Begun>;
  schedule(...tasks: readonly (Partial<Task> & { readonly key: string })[]): Promise<void>;
  /** Lets everything happen that is due. */
  settled(): Promise<void>;
  work(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

const KIND: TaskKind = "delivery";
const WATCHED: readonly TaskKind[] = [KIND, "job-effects", "job-timer"];

/** Work that ends when it is told to. */
async function world(place: Place): Promise<World> {
  const clock = stillClock();
  const begun: Begun[] = [];
  const ended = new Set<Begun>();
  const failed: string[] = [];
  let store = await place.openOn(clock);
  let working: AsyncDisposable | null = null;
  const handler = (kind: TaskKind): TaskHandler => ({
    slots: SLOTS,
    perform: (key, run): Promise<TaskAnswer> =>
      new Promise((resolve, reject) => {
        const one: Begun = {
          ...{ kind, key, again: run.again, failures: run.failures, signal: run.signal },
          end(answer = null) {
            ended.add(one);
            resolve(answer);
          },
          fail() {
            ended.add(one);
            reject(new Error("no"));
          },
        };
        begun.push(one);
      }),
  });
  // what else follows from a commit is done at once
  const handlers = withIdle(
    Object.fromEntries(WATCHED.map((kind) => [kind, handler(kind)])) as { [Kind in TaskKind]?: TaskHandler },
  );
  const work = async (): Promise<void> => {
    working = await store.queue.work(handlers, ({ key }) => void failed.push(key));
  };
  const stop = async (): Promise<void> => {
    await working?.[Symbol.asyncDispose]();
    working = null;
  };
  return {
    ...{ clock, begun, failed, work, stop },
    get store() {
      return store;
    },
    under_way: () => begun.filter((one) => !ended.has(one)),
    keys: () => begun.map(({ key }) => key),
    nth: (n) => until(`run ${n}`, () => begun[n - 1] ?? null),
    schedule: (...tasks) => store.queue.schedule(tasks.map((task) => ({ kind: KIND, ...task }))),
    async settled() {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    async restart() {
      await stop();
      await store.close();
      store = await place.openOn(clock);
    },
  };
}

async function withQueue(engine: Engine, use: (here: World) => Promise<void>): Promise<void> {
  const place = await engine.place();
  const here = await world(place);
  try {
    await use(here);
  } finally {
    for (const one of here.under_way()) one.end();
    await here.stop();
    await here.store.close();
    await place.remove();
  }
}

export function describeQueue(engine: Engine): void {
  const test = (name: string, use: (here: World) => Promise<void>): void => it(name, () => withQueue(engine, use));

  describe(`the work queue of ${engine.name}`, () => {
    test("does what was scheduled before the work began, and what is scheduled later", async (here) => {
      await here.schedule({ key: "early" });
      await here.work();
      (await here.nth(1)).end();
      await here.schedule({ key: "late" });
      (await here.nth(2)).end();
      await here.settled();
      expect(here.begun).toMatchObject([
        { key: "early", failures: 0 },
        { key: "late", again: false, failures: 0 },
      ]);
    });

    test("does at its time what is due later, on the clock of the server", async (here) => {
      await here.work();
      await here.schedule({ key: "b", at: here.clock.now() + 2_000 }, { key: "a", at: here.clock.now() + 1_000 });
      await here.settled();
      expect(here.keys()).toEqual([]);
      here.clock.pass(1_000);
      await here.nth(1);
      await here.settled();
      expect(here.keys()).toEqual(["a"]);
      here.clock.pass(1_000);
      await here.nth(2);
      expect(here.keys()).toEqual(["a", "b"]);
    });

    test("lets a later task of the same key replace one that waits, sooner or later", async (here) => {
      await here.work();
      const now = here.clock.now();
      await here.schedule({ key: "sooner", at: now + LONG_MS }, { key: "later", at: now + 1_000 });
      await here.schedule({ key: "sooner", at: now + 1_000 }, { key: "later", at: now + LONG_MS });
      here.clock.pass(1_000);
      (await here.nth(1)).end();
      await here.settled();
      expect(here.keys()).toEqual(["sooner"]);
      here.clock.pass(LONG_MS);
      (await here.nth(2)).end();
      await here.settled();
      expect(here.keys()).toEqual(["sooner", "later"]);
    });

    test("runs a task once more that is scheduled while it runs, however often", async (here) => {
      await here.work();
      await here.schedule({ key: "a" });
      const first = await here.nth(1);
      for (let count = 0; count < 3; count++) await here.schedule({ key: "a" });
      await here.settled();
      expect(here.begun).toHaveLength(1);
      // what was scheduled has seen more than the run
      first.end({ again_at: here.clock.now() + LONG_MS });
      (await here.nth(2)).end();
      await here.settled();
      here.clock.pass(LONG_MS);
      await here.settled();
      expect(here.begun).toMatchObject([{ again: false }, { again: false, failures: 0 }]);
    });

    test("runs a task again when it asks for that, and counts how often", async (here) => {
      await here.work();
      await here.schedule({ key: "a" });
      (await here.nth(1)).end({ again_at: here.clock.now() });
      (await here.nth(2)).end({ again_at: here.clock.now() + 1_000 });
      await here.settled();
      expect(here.begun).toHaveLength(2);
      here.clock.pass(1_000);
      (await here.nth(3)).end();
      await here.settled();
      await here.schedule({ key: "a" });
      await here.nth(4);
      expect(here.begun.map(({ failures }) => failures)).toEqual([0, 1, 2, 0]);
      expect(here.begun.every(({ again }) => !again)).toBe(true);
    });

    test("runs a task again that threw, later and later, and says that an earlier run may have done a part", async (here) => {
      await here.work();
      await here.schedule({ key: "a" });
      for (let n = 1; n <= 20; n++) {
        (await here.nth(n)).fail();
        await here.settled();
        expect(here.begun).toHaveLength(n);
        here.clock.pass(LONG_MS);
      }
      (await here.nth(21)).end({ again_at: here.clock.now() });
      await here.nth(22);
      expect(here.begun.map(({ again }) => again)).toEqual([false, ...Array(20).fill(true), false]);
      expect(here.failed).toHaveLength(20);
    });

    test("works on the tasks of a lane one after another in their order, on other lanes beside them", async (here) => {
      await here.work();
      const keys = ["a", "b", "c", "d"];
      await here.schedule(...keys.map((key) => ({ key, lane: "one" })), { key: "other", lane: "two" });
      for (const key of keys) {
        await until(key, () => here.under_way().some((one) => one.key === key));
        await here.settled();
        expect(here.under_way().filter((one) => one.key !== "other")).toHaveLength(1);
        here
          .under_way()
          .find((one) => one.key === key)
          ?.end();
      }
      expect(here.keys().filter((key) => key !== "other")).toEqual(keys);
      expect(here.under_way()).toMatchObject([{ key: "other" }]);
    });

    test("does not hold up a lane for one that is put off", async (here) => {
      await here.work();
      await here.schedule({ key: "a", lane: "one" }, { key: "b", lane: "one" });
      (await here.nth(1)).fail();
      (await here.nth(2)).end();
      here.clock.pass(LONG_MS);
      await here.nth(3);
      expect(here.keys()).toEqual(["a", "b", "a"]);
    });

    test("leaves places free for others, however many tasks one tenant has", async (here) => {
      await here.work();
      await here.schedule(...Array.from({ length: 200 }, (_, at) => ({ key: `one ${at}`, tenant: 1 })));
      await until("the places to be taken", () => here.under_way().length === SLOTS / 2);
      await here.settled();
      expect(here.under_way()).toHaveLength(SLOTS / 2);
      await here.schedule({ key: "two", tenant: 2 });
      await until("the other to begin", () => here.under_way().some(({ key }) => key === "two"));
      expect(here.under_way().length).toBeLessThanOrEqual(SLOTS);
    });

    test("never has more under way than there are slots", async (here) => {
      await here.work();
      await here.schedule(...Array.from({ length: 40 }, (_, at) => ({ key: `${at}`, tenant: at })));
      while (here.begun.length < 40 || here.under_way().length > 0) {
        await here.settled();
        expect(here.under_way().length).toBeLessThanOrEqual(SLOTS);
        for (const one of here.under_way()) one.end();
      }
      expect(new Set(here.keys()).size).toBe(40);
    });

    test("lets work under way finish when it stops, tells it to hurry, and begins nothing more", async (here) => {
      await here.work();
      await here.schedule({ key: "a", lane: "one" }, { key: "b", lane: "one" }, { key: "c", at: here.clock.now() + 1 });
      const first = await here.nth(1);
      let stopped = false;
      const stopping = here.stop().then(() => {
        stopped = true;
      });
      await here.schedule({ key: "d" });
      here.clock.pass(LONG_MS);
      await here.settled();
      expect([first.signal.aborted, stopped]).toEqual([true, false]);
      first.end({ again_at: 0 });
      await stopping;
      await here.settled();
      expect(here.keys()).toEqual(["a"]);
    });

    test("finds after a restart what the records ask for, and says that an earlier run may have done a part", async (here) => {
      await here.work();
      const delivery = (id: string, number: number) => ({
        ...{ id, at: here.clock.now() },
        event: { type: "uninstalled", installation_id: number } as const,
      });
      await here.store.inbox.record(delivery("done", 1));
      await here.store.inbox.record(delivery("first", 2));
      await here.store.inbox.record(delivery("second", 2));
      await here.store.inbox.done("done");
      for (let n = 1; n <= 3; n++) (await here.nth(n)).end();
      await here.store.inbox.record(delivery("done", 1));
      await here.settled();
      await here.restart();
      here.begun.length = 0;
      await here.settled();
      expect(here.keys(), "nothing begins before the work does").toEqual([]);
      await here.store.inbox.record(delivery("third", 3));
      await here.work();
      for (let n = 1; n <= 3; n++) (await here.nth(n)).end();
      await here.settled();
      expect(here.begun.map(({ key }) => key).sort()).toEqual(["first", "second", "third"]);
      expect(here.keys().indexOf("first")).toBeLessThan(here.keys().indexOf("second"));
      expect(here.begun.filter(({ key }) => key !== "third")).toMatchObject([{ again: true }, { again: true }]);
    });

    test("is told by commits what is to be performed and when, and by a restart what is left of it", async (here) => {
      const { repository, ...rest } = sampleJob(1);
      const now = here.clock.now();
      const wanted = (not_before: number) => ({
        ...({ effect: { type: "sync-comment" }, urgency: "now", not_before } as const),
      });
      await here.work();
      await keep(here.store.jobs, { ...rest, repository }, { effects: [wanted(now + 1_000)] });
      await here.settled();
      expect(here.begun).toEqual([]);
      here.clock.pass(1_000);
      (await here.nth(1)).end();
      await keep(here.store.jobs, { ...rest, repository, title: "Nothing new to perform" });
      await here.settled();
      expect(here.begun).toMatchObject([{ kind: "job-effects", key: jobId(1), again: false }]);
      await here.restart();
      here.begun.length = 0;
      await here.work();
      (await here.nth(1)).end();
      expect(here.begun).toMatchObject([{ kind: "job-effects", key: jobId(1), again: true }]);
    });

    test("wakes jobs in the order of their time and none too early, also after a restart", async (here) => {
      const now = here.clock.now();
      const accepted = (id: number, after: number) => sampleJob(id, { status: "accepted", deadline_at: now + after });
      const woken = async (ms: number): Promise<readonly string[]> => {
        here.begun.length = 0;
        here.clock.pass(ms);
        await here.settled();
        for (const one of here.under_way()) one.end({ again_at: here.clock.now() + LONG_MS });
        await here.settled();
        expect(here.begun.every(({ kind }) => kind === "job-timer")).toBe(true);
        return here.keys();
      };
      await here.work();
      for (const [id, after] of [
        [1, 40],
        [2, 10],
        [3, 30],
        [4, 20],
      ] as const)
        await keep(here.store.jobs, accepted(id, after));
      await keep(here.store.jobs, sampleJob(5));
      await keep(here.store.jobs, accepted(1, 5));
      expect(await woken(4)).toEqual([]);
      expect(await woken(1)).toEqual([jobId(1)]);
      expect(await woken(15)).toEqual([jobId(2), jobId(4)]);
      await here.restart();
      await here.work();
      expect(await woken(0)).toEqual([jobId(1), jobId(2), jobId(4)]);
      expect(await woken(10)).toEqual([jobId(3)]);
    });
  });
}
