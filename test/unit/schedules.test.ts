/** What a repository decides of its schedules: when they start, what is left out, and when they are paused. */
import { describe, expect, it } from "vitest";
import { type Automation, NO_AUTOMATION } from "../../src/contracts/automation.ts";
import type { RepositoryCommand } from "../../src/domain/repository/command.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import type { RepositoryEffect } from "../../src/domain/repository/effect.ts";
import { nextTimerAt } from "../../src/domain/repository/next-timer.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";
import type { RunEnd } from "../../src/domain/repository/schedule-schema.ts";
import { SPREAD_MS, scheduleOf } from "../../src/domain/repository/schedules.ts";
import { repositoryStateSchema } from "../../src/domain/repository/schema.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const T0 = Date.parse("2030-01-01T00:00Z");
const AT = { id: 42, owner: "octo", name: "demo", installation_id: 7 };
const NIGHTLY = "nightly";

const entry = (more: Partial<Automation["schedules"][number]> = {}): Automation["schedules"][number] => ({
  ...{ name: NIGHTLY, schedule: "0 9 * * *", timezone: "UTC", enabled: true, type: "agent", job: "Look." },
  ...{ from: "config/CRONS.json", ...more },
});
const files = (...schedules: Automation["schedules"]): RepositoryCommand => ({
  type: "settings-read",
  settings: { id: AT.id, settings: null, settings_problem: null, automation: { ...NO_AUTOMATION, schedules } },
});

/** A repository in a world of its own: commands at a time, and what they asked for. */
class World {
  now = T0;
  state: RepositoryState = newRepository(AT);
  effects: RepositoryEffect[] = [];

  tell(command: RepositoryCommand): this {
    const decision = decideRepository(this.state, command, { now: this.now, offers_set_up: false });
    if (decision.kind === "unchanged") return this;
    this.state = repositoryStateSchema.parse(JSON.parse(JSON.stringify(decision.state)));
    this.effects.push(...decision.effects.map(({ effect }) => effect));
    return this;
  }

  pass(ms: number): this {
    this.now += ms;
    return this.tell({ type: "tick" });
  }

  /** To the end of the minute in which it starts. */
  toNext(): this {
    this.now = (this.schedule.next?.starts_at ?? this.now) + 1;
    return this.tell({ type: "tick" });
  }

  ended(came_to: RunEnd | null, why: string | null = null, job = "abcd1234"): this {
    const run = { name: NIGHTLY, due_at: this.schedule.last?.due_at ?? 0, job, came_to, why };
    return this.tell({ type: "schedule-run-told", run });
  }

  get schedule() {
    const found = scheduleOf(this.state, NIGHTLY);
    if (found === null) throw new Error("there is no such schedule");
    return found;
  }

  taken(): string[] {
    return this.effects.splice(0).map(({ type }) => type);
  }
}

const world = (...schedules: Automation["schedules"]): World =>
  new World().tell(files(...(schedules.length === 0 ? [entry()] : schedules)));

describe("a schedule", () => {
  it("starts once at its time, within a minute and always as much after it, and goes on with the next", () => {
    const one = world();
    const { next } = one.schedule;
    expect(next?.due_at).toBe(T0 + 9 * 60 * MINUTE);
    const spread = (next?.starts_at ?? 0) - (next?.due_at ?? 0);
    expect(spread).toBeGreaterThanOrEqual(0);
    expect(spread).toBeLessThan(SPREAD_MS);
    expect(nextTimerAt(one.state)).toBe(next?.starts_at);
    one.now = (next?.starts_at ?? 0) - 1;
    expect(one.tell({ type: "tick" }).taken()).toEqual([]);
    expect(one.pass(1).effects).toEqual([{ type: "start-schedule", name: NIGHTLY, due_at: next?.due_at }]);
    expect(one.pass(MINUTE).effects).toHaveLength(1);
    expect(one.schedule.next).toMatchObject({ due_at: T0 + DAY + 9 * 60 * MINUTE });
    expect((one.schedule.next?.starts_at ?? 0) - (one.schedule.next?.due_at ?? 0)).toBe(spread);
  });

  it("does not begin in the second of others of its time", () => {
    const many = Array.from({ length: 60 }, (_, at) => entry({ name: `s${at}` }));
    const starts = world(...many, entry()).state.schedules.map(({ next }) =>
      Math.floor((next?.starts_at ?? 0) / 1_000),
    );
    expect(new Set(starts).size).toBeGreaterThan(20);
  });

  it("makes up for one time after the server was away", () => {
    const one = world().pass(5 * DAY);
    expect(one.effects).toEqual([{ type: "start-schedule", name: NIGHTLY, due_at: T0 + 9 * 60 * MINUTE }]);
    expect(one.schedule.next?.due_at).toBe(T0 + 5 * DAY + 9 * 60 * MINUTE);
    expect(one.ended("merged").pass(MINUTE).effects).toHaveLength(1);
  });

  it("follows its file: a new expression or zone is a new time, a switched off or missing one has none", () => {
    const one = world().tell(files(entry({ schedule: "30 7 * * *" })));
    expect(one.schedule.next?.due_at).toBe(T0 + 7.5 * 60 * MINUTE);
    one.tell(files(entry({ timezone: "Europe/Berlin" })));
    expect(one.schedule.next?.due_at).toBe(T0 + 8 * 60 * MINUTE);
    one.tell(files(entry({ enabled: false })));
    expect(one.schedule.next).toBeNull();
    expect(nextTimerAt(one.state)).toBeNull();
    expect(one.tell(files(entry())).schedule.next?.due_at).toBe(T0 + 9 * 60 * MINUTE);
    expect(one.tell(files()).state.schedules).toEqual([]);
  });

  it("keeps its next time when files are read again that say the same, and when it is overdue", () => {
    const one = world();
    const { next } = one.schedule;
    one.now += 3 * DAY;
    expect(one.tell(files(entry({ job: "Look better." }))).schedule.next).toEqual(next);
    expect(one.pass(0).taken()).toEqual(["start-schedule"]);
  });

  it("is worked out again after a clock that was far ahead, and starts no minute twice", () => {
    const one = new World();
    one.now = T0 + 400 * DAY;
    one.tell(files(entry()));
    one.now = T0;
    expect(one.tell(files(entry())).schedule.next?.due_at).toBe(T0 + 9 * 60 * MINUTE);
    one.toNext().ended("merged");
    expect(one.taken()).toEqual(["start-schedule"]);
    one.now = T0;
    one.tell(files(entry())).toNext();
    expect(one.taken()).toEqual([]);
    expect(one.toNext().taken()).toEqual(["start-schedule"]);
  });
});

describe("a run that is open", () => {
  it("has the next time look at it, which is left out while it is open", () => {
    const one = world().toNext().ended(null);
    one.taken();
    const due_at = one.schedule.next?.due_at ?? 0;
    expect(one.toNext().taken()).toEqual(["look-at-schedule"]);
    const run = { name: NIGHTLY, due_at: one.schedule.last?.due_at ?? 0, job: "abcd1234", why: null };
    one.tell({ type: "schedule-looked-at", run: { ...run, came_to: null }, due_at });
    expect(one.schedule.skipped_at).toBe(due_at);
    expect(one.taken()).toEqual([]);
    one.toNext();
    one.tell({ type: "schedule-looked-at", run: { ...run, came_to: "merged" }, due_at: due_at + DAY });
    expect(one.taken()).toEqual(["look-at-schedule", "start-schedule"]);
    expect(one.schedule.last).toMatchObject({ due_at: due_at + DAY, job: null, came_to: null });
  });
});

describe("failures", () => {
  const failing = (one: World): World => one.toNext().ended("failed", "The check `test` failed.");

  it("pause it after three in a row, with an issue and an event, until somebody resumes it", () => {
    const one = world();
    for (let at = 0; at < 2; at++) failing(one);
    expect(one.schedule).toMatchObject({ failures: 2, paused_at: null });
    one.taken();
    expect(failing(one).taken()).toEqual(["start-schedule", "show-schedule-notice", "publish"]);
    expect(one.schedule).toMatchObject({ failures: 3, paused_at: one.now, next: null });
    expect(
      one
        .pass(30 * DAY)
        .tell(files(entry()))
        .taken(),
    ).toEqual([]);
    expect(one.tell({ type: "resume-schedules", name: "NIGHTLY" }).taken()).toEqual(["show-schedule-notice"]);
    expect(one.schedule).toMatchObject({ failures: 0, paused_at: null });
    expect(one.schedule.next?.due_at).toBeGreaterThan(one.now);
    expect(one.tell({ type: "resume-schedules", name: null }).taken()).toEqual([]);
    expect(failing(one).schedule.failures).toBe(1);
  });

  it("count a run that could not be made, and no cancelled one; work that is good begins the count anew", () => {
    const one = failing(world());
    one.toNext().ended("cancelled");
    one.toNext().ended("no_room", "In octo/demo 5 jobs were created today.");
    expect(one.schedule.failures).toBe(1);
    one.toNext().ended("not_started", "There is no model of this name.");
    expect(one.schedule.failures).toBe(2);
    expect(one.toNext().ended("merged").schedule.failures).toBe(0);
  });

  it("count a run once, however often it is told, and not once it was tried again with success", () => {
    const one = failing(world());
    one.ended("failed", "The check `test` failed.").ended("failed", "Again.");
    expect(one.schedule.failures).toBe(1);
    expect(one.ended(null).schedule.failures).toBe(0);
    expect(one.ended("failed").schedule.failures).toBe(1);
    one.tell({
      type: "schedule-run-told",
      run: { name: NIGHTLY, due_at: 1, job: "zzzz1234", came_to: "failed", why: null },
    });
    expect(one.schedule.failures).toBe(1);
  });

  it("are told of an effect that was given up", () => {
    const one = world().toNext();
    const due_at = one.schedule.last?.due_at ?? 0;
    one.tell({ type: "effect-abandoned", effect: { type: "start-schedule", name: NIGHTLY, due_at } });
    expect(one.schedule.last).toMatchObject({ came_to: "not_started" });
    expect(one.schedule.failures).toBe(1);
  });

  it("change the issue when a paused schedule is taken out of the files", () => {
    const one = world();
    for (let at = 0; at < 3; at++) failing(one);
    one.tell({ type: "schedule-notice-shown", issue: 5 }).taken();
    expect(one.tell(files()).taken()).toEqual(["show-schedule-notice"]);
  });
});

it("starts nothing in a process that is not there all the time", () => {
  const decision = decideRepository(newRepository(AT), files(entry()), {
    now: T0,
    offers_set_up: false,
    runs_schedules: false,
  });
  expect(decision.kind === "decided" && decision.state?.schedules).toEqual([]);
});
