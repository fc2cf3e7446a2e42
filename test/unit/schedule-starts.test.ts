/**
 * Whatever the order of ticks, crashes, jumps of the clock and changes of the files: a minute of a schedule makes one job at
 * most, and a server that was away makes up for one time at most.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Automation, NO_AUTOMATION } from "../../src/contracts/automation.ts";
import type { Pending } from "../../src/domain/pending-effect.ts";
import type { RepositoryCommand } from "../../src/domain/repository/command.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { isOfSchedule, type RepositoryEffect, repositoryEffectKey } from "../../src/domain/repository/effect.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";
import type { RunEnd } from "../../src/domain/repository/schedule-schema.ts";
import { type RunNews, sameSchedule, scheduleOf } from "../../src/domain/repository/schedules.ts";
import { repositoryStateSchema } from "../../src/domain/repository/schema.ts";
import { automationJobId } from "../../src/engine/start-automation.ts";
import { nextEffects } from "../../src/store/next-effects.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const T0 = Date.parse("2030-01-01T00:00Z");
const AT = { id: 42, owner: "octo", name: "demo", installation_id: 7 };
const NAMES = ["nightly", "Nightly", "hourly"] as const;
const PATTERNS = ["*/5 * * * *", "0 * * * *", "30 2 * * *"] as const;
const ENDS = [null, "merged", "failed", "cancelled", "no_room"] as const satisfies readonly (RunEnd | null)[];

interface Made {
  readonly id: string;
  readonly name: string;
  readonly due_at: number;
  came_to: RunEnd | null;
}

/** One repository with what is stored of it, and the jobs that were made, which no crash takes away. */
class World {
  now = T0;
  state: RepositoryState | null = newRepository(AT);
  effects: Pending<RepositoryEffect>[] = [];
  version = 1;
  readonly jobs = new Map<string, Made>();

  tell(command: RepositoryCommand, done: Pending<RepositoryEffect> | null = null): RepositoryEffect[] {
    const decision = decideRepository(this.state, command, { now: this.now, offers_set_up: false });
    const asked = decision.kind === "decided" ? decision.effects : [];
    if (decision.kind === "decided") {
      this.version += 1;
      this.state =
        decision.state === null ? null : repositoryStateSchema.parse(JSON.parse(JSON.stringify(decision.state)));
    }
    const kept = { effects: asked, done, keyOf: repositoryEffectKey, version: this.version };
    this.effects = this.state === null ? [] : nextEffects(this.effects, kept);
    return asked.map(({ effect }) => effect);
  }

  /** Performs what is pending; `crash`: the process ends before the outcome is stored, so it is performed again. */
  perform(crash: boolean, came_to: RunEnd | null): void {
    for (const pending of this.effects.filter(({ effect }) => isOfSchedule(effect))) {
      const command = this.#outcomeOf(pending.effect, came_to);
      if (crash) return;
      this.tell(command, pending);
    }
  }

  #outcomeOf(effect: RepositoryEffect, came_to: RunEnd | null): RepositoryCommand {
    if (effect.type === "start-schedule") {
      const { name, due_at } = effect;
      // as the store does: a job of this id is found
      const id = automationJobId(AT, { kind: "schedule", name, due_at });
      const job = this.jobs.get(id) ?? { id, name, due_at, came_to };
      this.jobs.set(id, job);
      return { type: "schedule-run-told", run: { name, due_at, job: id, came_to: job.came_to, why: null } };
    }
    if (effect.type !== "look-at-schedule") throw new Error("it is of no schedule");
    const last = this.state === null ? null : (scheduleOf(this.state, effect.name)?.last ?? null);
    const run: RunNews = {
      ...{ name: effect.name, due_at: last?.due_at ?? effect.due_at, job: last?.job ?? null, why: null },
      came_to: this.jobs.get(last?.job ?? "")?.came_to ?? last?.came_to ?? null,
    };
    return { type: "schedule-looked-at", run, due_at: effect.due_at };
  }

  /** A job that is open ends, of which the repository may not hear. */
  end(came_to: RunEnd, isHeard: boolean): void {
    const open = [...this.jobs.values()].find((job) => job.came_to === null);
    if (open === undefined) return;
    open.came_to = came_to;
    const { id: job, name, due_at } = open;
    if (isHeard) this.tell({ type: "schedule-run-told", run: { name, due_at, job, came_to, why: null } });
  }
}

const entries = fc.array(
  fc.record({
    name: fc.constantFrom(...NAMES),
    schedule: fc.constantFrom(...PATTERNS),
    off: fc.integer({ min: 0, max: 4 }),
  }),
  { maxLength: 2 },
);

const automation = (list: { name: string; schedule: string; off: number }[]): Automation => ({
  ...NO_AUTOMATION,
  schedules: list
    .filter(({ name }, at) => list.findIndex((one) => sameSchedule(one.name, name)) === at)
    .map(({ name, schedule, off }) => ({
      ...{ name, schedule, timezone: "UTC", enabled: off > 0, type: "agent", job: "Look." },
      from: "config/CRONS.json",
    })),
});

const jump = fc.oneof(
  fc.integer({ min: 0, max: 10 * MINUTE }),
  fc.integer({ min: 0, max: 50 * HOUR }),
  fc.integer({ min: -30 * HOUR, max: -1 }),
  fc.constant(400 * 24 * HOUR),
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.integer({ min: 0, max: HOUR }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("jump" as const), ms: jump }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("perform" as const), crash: fc.boolean(), end: fc.constantFrom(...ENDS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant("end" as const), heard: fc.boolean() },
      end: fc.constantFrom("merged" as const, "failed" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("files" as const), list: entries }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("resume" as const, "reinstall" as const, "rewind" as const) }),
  },
);

const files = (list: Automation): RepositoryCommand => ({
  type: "settings-read",
  settings: { id: AT.id, settings: null, settings_problem: null, automation: list },
});

it("makes one job at most of a minute of a schedule, and makes up for one time at most", () => {
  fc.assert(
    fc.property(entries, fc.array(step, { maxLength: 60 }), (first, steps) => {
      const world = new World();
      let said = automation(first);
      world.tell(files(said));
      for (const one of steps) {
        switch (one.do) {
          case "tick":
          case "jump": {
            world.now += one.ms;
            const before = world.state?.schedules ?? [];
            const asked = world.tell({ type: "tick" }).filter(isOfSchedule);
            // one for each schedule, of the time that was next, however many have gone by
            expect(new Set(asked.map(({ name }) => name.toLowerCase())).size).toBe(asked.length);
            for (const { name, due_at } of asked)
              expect(before.find((known) => known.name === name)?.next?.due_at).toBe(due_at);
            for (const { next } of world.state?.schedules ?? [])
              if (next !== null) expect(next.starts_at).toBeGreaterThan(world.now);
            expect(world.tell({ type: "tick" }).filter(isOfSchedule)).toEqual([]);
            break;
          }
          case "perform":
            world.perform(one.crash, one.end);
            break;
          case "end":
            world.end(one.end, one.heard);
            break;
          case "files":
            said = automation(one.list);
            world.tell(files(said));
            break;
          case "rewind":
            // the clock goes back to before what was made last
            world.now = ([...world.jobs.values()].at(-1)?.due_at ?? world.now) - MINUTE;
            world.tell(files(said));
            break;
          case "resume":
            world.tell({ type: "resume-schedules", name: null });
            break;
          case "reinstall":
            world.tell({ type: "removed" });
            world.tell({ type: "installed", repository: AT });
            world.tell(files(said));
            break;
          default:
            one satisfies never;
        }
        const minutes = [...world.jobs.values()].map(({ name, due_at }) => `${name.toLowerCase()} ${due_at}`);
        expect(new Set(minutes).size).toBe(minutes.length);
      }
    }),
    { numRuns: 1_000 },
  );
});

it("makes no second job of a minute where the clock went back and the name is written otherwise in the file", () => {
  const world = new World();
  world.tell(files(automation([{ name: "nightly", schedule: "30 2 * * *", off: 1 }])));
  for (const name of ["nightly", "Nightly"]) {
    world.now = T0;
    world.tell({ type: "removed" });
    world.tell({ type: "installed", repository: AT });
    world.state ??= newRepository(AT);
    world.tell(files(automation([{ name, schedule: "30 2 * * *", off: 1 }])));
    world.now = T0 + 3 * HOUR;
    world.tell({ type: "tick" });
    world.perform(false, "merged");
  }
  expect([...world.jobs.values()]).toMatchObject([{ due_at: T0 + 2.5 * HOUR }]);
});
