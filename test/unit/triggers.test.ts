import { describe, expect, it } from "vitest";
import { triggersSchema } from "../../src/contracts/automation.ts";
import { matchesBot, onSchema, textMatcher } from "../../src/contracts/trigger-events.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { findingsOf } from "../../src/domain/repository/findings.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";
import type { TriggerCommand } from "../../src/domain/repository/triggers.ts";
import { readyFacts } from "../contract/scripted-github.ts";

const HOUR = 3_600_000;
const from = "config/TRIGGERS.json" as const;
const fresh: RepositoryState = {
  ...newRepository({ id: 42, owner: "octo", name: "demo", installation_id: 7 }),
  automation: {
    schedules: [],
    triggers: triggersSchema.parse([{ name: "T", actions: [{ job: "Look." }] }]).map((one) => ({ ...one, from })),
    problems: [],
  },
};
const check = (run: number) => ({ name: "CI", url: null, sha: `${run}`, branch: "main", run });

/** After these, each at its time. */
const led = (...commands: readonly (readonly [TriggerCommand, number])[]): RepositoryState =>
  commands.reduce((state, [command, now]) => {
    const decided = decideRepository(state, command, { now, offers_set_up: false });
    return decided.kind === "decided" && decided.state !== null ? decided.state : state;
  }, fresh);
const issued = (sealed: string, overlap_ms = HOUR, name = "t") =>
  ({ type: "trigger-secret-issued", name, sealed, overlap_ms }) as const;
const refused = { type: "trigger-refused", name: "T" } as const;
const findings = (state: RepositoryState, now: number) =>
  findingsOf({ state, facts: readyFacts("https://github.com/octo/demo"), missing: null, now })
    .map(({ code }) => code)
    .filter((code) => code.startsWith("trigger_"));

describe("what is kept of a trigger", () => {
  it("is its secret and the one before it, by its name in any case of letters", () => {
    const { triggers } = led([issued("a"), 1], [issued("b", HOUR, "T"), 2]);
    expect(triggers).toEqual([
      expect.objectContaining({
        ...{ name: "t", secret: { sealed: "b", issued_at: 2 } },
        old_secret: { sealed: "a", until: HOUR + 2 },
      }),
    ]);
    expect(led([issued("a"), 1], [issued("b", 0), 2]).triggers[0]?.old_secret).toBeNull();
  });

  it("goes with the next secret, where the trigger is gone", () => {
    expect(led([issued("a", 0, "gone"), 1], [issued("b"), 2]).triggers.map(({ name }) => name)).toEqual(["t"]);
  });

  it("says once in an hour, and for a day, that it was called too often", () => {
    const state = led([refused, 10 * HOUR], [refused, 10 * HOUR + 1]);
    expect(state.triggers[0]?.refused_at).toBe(10 * HOUR);
    expect(led([refused, 10 * HOUR], [refused, 11 * HOUR]).triggers[0]?.refused_at).toBe(11 * HOUR);
    expect(findings(state, 11 * HOUR)).toEqual(["trigger_limited"]);
    expect(findings(state, 35 * HOUR)).toEqual([]);
  });

  it("counts commits that broke one after another, each once, until the check passes", () => {
    const broken = (run: number) => [{ type: "trigger-broken", name: "T", check: check(run) } as const, run] as const;
    const state = led(broken(1), broken(1), broken(2), broken(3));
    expect(state.triggers[0]?.broken).toEqual({ check: "CI", sha: "3", run: 3, in_a_row: 3 });
    expect(findings(state, 4)).toEqual(["trigger_in_vain"]);
    const mended = decideRepository(state, { type: "trigger-mended", name: "T" }, { now: 5, offers_set_up: false });
    expect(mended).toMatchObject({ state: { triggers: [{ broken: null }] } });
  });
});

describe("a filter", () => {
  it("is a glob of the whole text, in any case, whatever stands in it", () => {
    const fits = textMatcher();
    expect(fits(["*crash*"], "A Crash/again\\now")).toBe(true);
    expect(fits(["crash"], "A crash")).toBe(false);
    expect(fits(["a/*", "v[0-9]*"], "V1.2")).toBe(true);
    expect(matchesBot(fits, ["some*[bot]"], "somebot[bot]")).toBe(true);
    expect(onSchema.parse({ dependency_pull_request_failed: null })).toEqual({
      dependency_pull_request_failed: { authors: ["dependabot[bot]", "renovate[bot]"] },
    });
    expect(onSchema.safeParse({ dependency_pull_request_failed: { authors: ["a[b"] } }).success).toBe(false);
    expect(fits([`${"*a".repeat(100)}b`], "a".repeat(65_536))).toBe(false);
  });

  it("fits one of several texts", () => {
    expect(textMatcher()(["area/*"], "bug", "area/cli")).toBe(true);
    expect(textMatcher()(["area/*"], "bug", "cli")).toBe(false);
    expect(textMatcher()(["area/*"])).toBe(false);
  });

  it("shares its time with all others that one piece of news is held against, and fits nothing once that is used up", () => {
    const fits = textMatcher();
    expect(fits(["*bug*"], "a bug")).toBe(true);
    for (let nth = 0; nth < 1_000; nth++) expect(fits([`${"*a".repeat(100)}b`], "a".repeat(300))).toBe(false);
    expect(fits(["*bug*"], "a bug")).toBe(false);
    expect(textMatcher()(["*bug*"], "a bug")).toBe(true);
  });
});
