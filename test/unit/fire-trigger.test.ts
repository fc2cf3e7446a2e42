/** Whatever the order of calls, repetitions and crashes: each action of a trigger is performed once for a piece of news. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Trigger, triggersSchema } from "../../src/contracts/automation.ts";
import { CALL_ROOTS } from "../../src/contracts/trigger-template.ts";
import type { RepositoryCommand } from "../../src/domain/repository/command.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { repositoryEffectSchema } from "../../src/domain/repository/effect.ts";
import type { RepositoryEvent } from "../../src/domain/repository/events.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";
import { repositoryStateSchema } from "../../src/domain/repository/schema.ts";
import { MOST_TOLD } from "../../src/domain/repository/trigger-events.ts";
import { createTriggers } from "../../src/engine/fire-trigger.ts";
import type { Fired } from "../../src/engine/ports/triggers.ts";
import { sampleJob } from "../contract/store/sample.ts";

const AT = { id: 42, owner: "octo", name: "demo", installation_id: 7 };
const HOUR = 3_600_000;

const triggerOf = (actions: readonly object[], jobs_per_hour = 10): Trigger => {
  const [trigger] = triggersSchema.parse([{ name: "Both", actions, jobs_per_hour }]);
  if (trigger === undefined) throw new Error("it is one trigger");
  return trigger;
};

/** What is stored, which no crash takes away. */
class World {
  now = 1_767_225_600_000;
  state: RepositoryState = newRepository(AT);
  readonly jobs: string[] = [];
  readonly events: RepositoryEvent[] = [];
  readonly uses: number[] = [];
  /** So many steps until the process ends. */
  left = Number.POSITIVE_INFINITY;
  /** Jobs are refused. */
  refuses = false;
  /** For so many jobs there is room. */
  room = Number.POSITIVE_INFINITY;

  step(): void {
    this.left -= 1;
    if (this.left < 0) throw new Error("the process ends");
  }

  handle(command: RepositoryCommand): void {
    const decided = decideRepository(this.state, command, { now: this.now, offers_set_up: false });
    if (decided.kind === "unchanged" || decided.state === null) return;
    this.state = repositoryStateSchema.parse(JSON.parse(JSON.stringify(decided.state)));
    for (const { effect } of decided.effects) {
      const stored = repositoryEffectSchema.parse(JSON.parse(JSON.stringify(effect)));
      if (stored.type === "publish") this.events.push(stored.event);
    }
  }

  /** A process that has just begun. */
  fire(trigger: Trigger, news: string, body: unknown = {}, left = Number.POSITIVE_INFINITY): Promise<Fired> {
    this.left = left;
    const { fireTrigger } = createTriggers({
      jobs: {
        load: async (id) => {
          this.step();
          return this.jobs.includes(id) ? ({ job: sampleJob(id), log: [], version: 1, effects: [] } as never) : null;
        },
      },
      repositories: { byId: async () => this.state },
      usage: {
        nthNewest: async (_kind, _of, n) => this.uses.at(-n) ?? null,
        take: async (_use, { most, ms, at, count = 1 }) => {
          const oldest = this.uses.at(-Math.max(1, most - count + 1));
          if (oldest !== undefined && at - oldest < ms) return oldest + ms - at;
          for (let n = 0; n < count; n += 1) this.uses.push(at);
          return null;
        },
      },
      clock: { now: () => this.now },
      create: async (_draft, id) => {
        this.step();
        if (this.refuses || this.jobs.length >= this.room)
          return { ok: false, refusal: { code: "over_quota", sentence: "Too many." } };
        this.jobs.push(id);
        this.step();
        return { ok: true } as never;
      },
      handleRepository: async (_id, command) => {
        this.step();
        this.handle(command);
        this.step();
        return null;
      },
    });
    return fireTrigger({ repository: AT, trigger, news, values: { body }, roots: CALL_ROOTS });
  }
}

const once = (all: readonly unknown[]): void => expect(new Set(all).size).toBe(all.length);

describe("what a trigger is fired with", () => {
  it("starts each job and sends each event once, whatever order, repetition and crash", async () => {
    const trigger = triggerOf(
      [{ job: "One." }, { type: "webhook" }, { job: "Two." }, { type: "webhook", job: "Tell." }],
      12,
    );
    const call = fc.record({
      id: fc.nat(4),
      left: fc.option(fc.nat(9), { nil: Number.POSITIVE_INFINITY }),
      ms: fc.nat(HOUR),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 20 }), async (calls) => {
        const world = new World();
        const whole = new Set<number>();
        const begun = new Set<number>();
        for (const { id, left, ms } of calls) {
          world.now += ms;
          const before = world.jobs.length + world.events.length;
          const fired = await world.fire(trigger, `${id}`, {}, left).catch(() => null);
          if (world.jobs.length + world.events.length > before) begun.add(id);
          if (fired?.kind === "started") whole.add(id);
          // what has begun is not kept from its end by a limit
          if (begun.has(id)) expect(fired?.kind ?? "crash").toMatch(/started|crash/);
          once(world.jobs);
          once(world.events.map(({ data }) => data.id));
          for (const at of world.uses)
            expect(world.uses.filter((one) => one >= at && one < at + HOUR).length).toBeLessThanOrEqual(12);
        }
        expect(world.jobs.length).toBeGreaterThanOrEqual(2 * whole.size);
        expect(world.events.length).toBe(2 * begun.size);
      }),
    );
  });

  it("sends its event although its job is refused, and once where that is tried again", async () => {
    const world = new World();
    const trigger = triggerOf([{ job: "One." }, { type: "webhook" }]);
    world.refuses = true;
    expect(await world.fire(trigger, "1")).toMatchObject({ kind: "refused" });
    world.refuses = false;
    expect(await world.fire(trigger, "1")).toMatchObject({ kind: "started", again: false });
    expect(await world.fire(trigger, "1")).toMatchObject({ kind: "started", again: true });
    expect([world.jobs.length, world.events.length, world.uses.length]).toEqual([1, 1, 2]);
  });

  it("says which of its jobs have begun before one is refused", async () => {
    const world = new World();
    const trigger = triggerOf([{ job: "One." }, { job: "Two." }, { job: "Three." }]);
    world.room = 1;
    expect(await world.fire(trigger, "1")).toMatchObject({ kind: "refused", jobs: world.jobs });
    expect(await world.fire(trigger, "1")).toMatchObject({ kind: "refused", jobs: world.jobs });
    expect(world.jobs).toHaveLength(1);
    expect(await world.fire(triggerOf([{ job: "Other." }]), "2")).toMatchObject({ kind: "refused", jobs: [] });
  });

  it("is told whole where nothing is missing, and not at all else", async () => {
    const world = new World();
    const trigger = triggerOf([
      { type: "webhook", job: "{{body.a}}" },
      { type: "webhook", job: "{{body.b}}" },
    ]);
    expect(await world.fire(trigger, "1", { a: 1 })).toEqual({ kind: "missing", placeholder: "body.b" });
    expect(world.events).toEqual([]);
  });
});

describe("an event of a trigger", () => {
  it("is bounded and clean, whatever comes, and is stored and read as it is", async () => {
    const world = new World();
    const names = ["a", "b", "c", "d", "e"].map((name) => `{{body.${name}}}`).join(" ");
    const body = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, `<!-- x -->${"é".repeat(30_000)}`]));
    const action = { type: "webhook", job: `${names} ${"x".repeat(15_000)}`, llm_model: "claude-opus-5" };
    await world.fire(triggerOf([action]), "1", body);
    const [event] = world.events;
    expect(JSON.stringify(event).length).toBeLessThan(16_000);
    expect(event?.data).toMatchObject({ subject: "Both", trigger: "Both", llm_model: "claude-opus-5" });
    expect(event?.data.text).toHaveLength(2_000);
    expect(Object(event?.data.values)["body.a"]).toBe(`${"é".repeat(4_000)}\n[26000 more characters were left out]`);
    expect(Object(event?.data.values)["body.e"]).toBe("\n[30000 more characters were left out]");
  });

  it("is told apart from others of the same moment, and remembered with a bound", async () => {
    const world = new World();
    const trigger = triggerOf([{ type: "webhook" }, { type: "webhook" }], 1_000);
    for (let n = 0; n < MOST_TOLD + 5; n += 1) {
      if (n % 400 === 0) world.now += HOUR;
      await world.fire(trigger, `${n}`);
    }
    once(world.events.map(({ data }) => data.id));
    expect(world.state.triggers).toMatchObject([{ name: "both", told: { length: MOST_TOLD } }]);
    expect(await world.fire(trigger, "6")).toMatchObject({ kind: "started", again: true });
  });

  it("is forgotten with its trigger, whose secret stays", () => {
    const world = new World();
    const from = "config/TRIGGERS.json" as const;
    const there = (name: string) => ({ ...triggerOf([{ type: "webhook" }]), name, from });
    const fired = (name: string) => ({ type: "trigger-fired", name, news: "1", events: [] }) as const;
    world.state = { ...world.state, automation: { schedules: [], triggers: [there("a"), there("b")], problems: [] } };
    world.handle({ type: "trigger-secret-issued", name: "a", sealed: "s", overlap_ms: 0 });
    world.handle(fired("a"));
    world.state = { ...world.state, automation: { schedules: [], triggers: [there("b")], problems: [] } };
    world.handle(fired("b"));
    expect(world.state.triggers.map(({ name, told, secret }) => [name, told, secret?.sealed])).toEqual([
      ["a", [], "s"],
      ["b", ["1"], undefined],
    ]);
  });
});
