/** When a repository's months are told. */
import { describe, expect, it } from "vitest";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { RepositoryCommand } from "../../src/domain/repository/command.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { nextReportAt } from "../../src/domain/repository/monthly-report.ts";
import { nextTimerAt } from "../../src/domain/repository/next-timer.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";

const at = (text: string): number => Date.parse(text);
const REPOSITORY = { id: 5, owner: "octo", name: "demo", installation_id: 7 };
const MINUTE_MS = 60_000;

const read = (monthly: boolean): RepositoryCommand => ({
  type: "settings-read",
  settings: { id: 5, settings: { ...DEFAULT_REPOSITORY_SETTINGS, reports: { monthly } }, settings_problem: null },
});
const TICK: RepositoryCommand = { type: "tick" };

function step(state: RepositoryState, command: RepositoryCommand, now: string) {
  const decision = decideRepository(state, command, { now: at(now), offers_set_up: false });
  if (decision.kind === "unchanged") return { state, months: [] };
  const months = decision.effects.flatMap(({ effect }) => (effect.type === "report-month" ? [effect.month] : []));
  return { state: decision.state ?? state, months };
}

const wanted = (now: string): RepositoryState => step(newRepository(REPOSITORY), read(true), now).state;

describe("the report of a month", () => {
  it("comes in the first hours of the next one, once", () => {
    const state = wanted("2026-11-10T12:00:00Z");
    expect(nextTimerAt(state)).toBe(at("2026-12-01T00:05:00Z"));
    expect(step(state, TICK, "2026-12-01T00:04:59Z").months).toEqual([]);
    const told = step(state, TICK, "2026-12-01T00:05:00Z");
    expect(told.months).toEqual(["2026-11"]);
    expect(step(told.state, TICK, "2026-12-01T00:05:00Z").months).toEqual([]);
    expect(nextTimerAt(told.state)).toBe(at("2027-01-01T00:05:00Z"));
  });

  it("is one, of the last month, after a longer absence", () => {
    const late = step(wanted("2026-08-10T12:00:00Z"), TICK, "2026-12-20T00:00:00Z");
    expect(late.months).toEqual(["2026-11"]);
    expect(nextReportAt(late.state)).toBe(at("2027-01-01T00:05:00Z"));
  });

  it("is not made where it is not wanted, or not any more", () => {
    expect(nextTimerAt(newRepository(REPOSITORY))).toBeNull();
    expect(nextTimerAt(step(wanted("2026-11-10T12:00:00Z"), read(false), "2026-11-11T12:00:00Z").state)).toBeNull();
  });

  it("is not lost while the settings are to be read again, as after a new name", () => {
    const renamed: RepositoryCommand = { type: "installed", repository: { ...REPOSITORY, name: "renamed" } };
    const { state } = step(wanted("2026-11-10T12:00:00Z"), renamed, "2026-11-30T23:00:00Z");
    expect(state.settings).toBeNull();
    expect(step(state, TICK, "2026-12-01T01:00:00Z").months).toEqual(["2026-11"]);
  });

  it("is made for the right month again after a clock that was ahead", () => {
    const ahead = step(wanted("2026-11-10T12:00:00Z"), TICK, "2030-01-01T12:00:00Z");
    expect(ahead.months).toEqual(["2029-12"]);
    const { state } = step(ahead.state, read(true), "2026-11-11T12:00:00Z");
    expect(nextReportAt(state)).toBe(at("2026-12-01T00:05:00Z"));
  });

  it("is spread over two hours, so that not all repositories are told at once", () => {
    const times = Array.from(
      { length: 240 },
      (_, id) => nextReportAt({ id, reports_since: at("2026-11-01T00:00:00Z") }) ?? 0,
    );
    expect(new Set(times).size).toBe(120);
    expect(Math.max(...times)).toBe(at("2026-12-01T00:00:00Z") + 119 * MINUTE_MS);
  });
});
