/** The decision on repositories: what is kept of them, and how their set-up goes on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_AUTOMATION } from "../../src/contracts/automation.ts";
import { DEFAULT_REPOSITORY_SETTINGS } from "../../src/contracts/settings.ts";
import type { RepositoryCommand } from "../../src/domain/repository/command.ts";
import { decideRepository, FILL_GAP_MS, RETRY_MS, SHOW_GAP_MS } from "../../src/domain/repository/decide.ts";
import { isEffectWanted } from "../../src/domain/repository/effect.ts";
import { nextTimerAt } from "../../src/domain/repository/next-timer.ts";
import type { RepositoryState, SetUpFacts } from "../../src/domain/repository/repository.ts";
import { RUN_PROBLEMS, repositoryStateSchema, SET_UP_PHASES } from "../../src/domain/repository/schema.ts";

const T0 = 1_900_000_000_000;
const AT = { id: 42, owner: "octo", name: "demo", installation_id: 7 };
const GOOD = { mistakes: [], outdated: false };
const NONE = { settings: null, workflow: null };

const FACTS: SetUpFacts = {
  url: "https://github.com/octo/demo",
  default_branch: "main",
  head: { sha: "a", tree: "b" },
  is_private: false,
  archived: false,
  fork: false,
  files: NONE,
  offered: null,
  pull_request: null,
  ci_on_pull_request: true,
  merge_methods: ["merge", "squash", "rebase"],
  auto_merge_allowed: true,
  required_checks: ["test"],
};

function step(state: RepositoryState | null, command: RepositoryCommand, now = T0, offers_set_up = true) {
  const decision = decideRepository(state, command, { now, offers_set_up });
  if (decision.kind === "unchanged") return { state, effects: [] };
  return {
    state: decision.state,
    effects: decision.effects.map(({ effect, not_before }) => [effect.type, not_before - now]),
  };
}

const told = (state: RepositoryState | null, ...commands: RepositoryCommand[]): RepositoryState => {
  const last = commands.reduce<RepositoryState | null>((before, command) => step(before, command).state, state);
  if (last === null) throw new Error("nothing of the repository is kept");
  return last;
};

const SEEN: RepositoryCommand = { type: "seen", repository: AT };
const read = (facts: Partial<SetUpFacts>): RepositoryCommand => ({
  type: "set-up-read",
  facts: { ...FACTS, ...facts },
});
const OFFERED: RepositoryCommand = { type: "set-up-offered", pull_request: 3 };
const offered = () => told(null, SEEN, read({}), OFFERED);
const MERGED = read({
  pull_request: { number: 3, state: "merged" },
  files: { settings: { problem: null }, workflow: GOOD },
});

describe("a repository whose files nobody has read", () => {
  const DUE: RepositoryCommand = { type: "first-reading-due" };
  const INSTALLED: RepositoryCommand = { type: "installed", repository: AT };
  const settings = { id: AT.id, settings: null, settings_problem: null };

  it("has them read once, and again when it was installed again or renamed", () => {
    const fresh = told(null, INSTALLED);
    expect(step(fresh, DUE).effects).toEqual([["read-settings", 0]]);
    for (const done of [
      { type: "files-absent" },
      { type: "settings-read", settings: { ...settings, automation: NO_AUTOMATION } },
    ] as const) {
      expect(step(told(fresh, done), DUE).effects).toEqual([]);
      expect(step(told(fresh, done, INSTALLED), DUE).effects).toEqual([["read-settings", 0]]);
    }
    expect(told(fresh, { type: "settings-read", settings }).files_read).toBe(false);
  });

  it("has them read after its set-up pull request is open, which is in line with each commit until then", () => {
    const looked = told(null, INSTALLED, SEEN);
    for (const state of [looked, told(looked, read({}))]) expect(step(state, DUE)).toMatchObject({ effects: [] });
    for (const end of [OFFERED, { type: "set-up-refused" }] as const)
      expect(step(told(looked, read({}), end), DUE).effects).toEqual([["read-settings", 0]]);
  });

  it("stays in line when the reading was given up", () => {
    const effect = { type: "read-settings", first: true } as const;
    const next = told(told(null, INSTALLED), { type: "effect-abandoned", effect });
    expect(next).toMatchObject({ files_read: false, set_up: { phase: "unknown" } });
  });
});

describe("a repository that is seen for the first time", () => {
  it("is looked at once, however many events come", () => {
    const { state, effects } = step(null, SEEN);
    expect(effects).toEqual([["read-set-up", 2_000]]);
    expect(step(state, SEEN).effects).toEqual([]);
  });

  it("gets a pull request where the workflow is not there", () => {
    const { state, effects } = step(told(null, SEEN), read({}));
    expect([state?.set_up.phase, effects]).toEqual(["offering", [["open-set-up-pull-request", 0]]]);
  });

  it.each([
    ["the workflow is there", { files: { settings: null, workflow: GOOD } }, "needless"],
    ["it is a fork", { fork: true }, "needless"],
    ["it is archived", { archived: true }, "impossible"],
    ["it has no commit", { default_branch: null, head: null }, "impossible"],
    ["one was closed before", { pull_request: { number: 3, state: "closed" } }, "declined"],
    ["one is open", { pull_request: { number: 3, state: "open" } }, "offered"],
  ] as const)("gets none where %s", (_why, facts, phase) => {
    const { state, effects } = step(told(null, SEEN), read(facts));
    expect(state?.set_up.phase).toBe(phase);
    expect(effects.map(([type]) => type)).not.toContain("open-set-up-pull-request");
  });

  it("is known to need nothing where a job's reading has seen the workflow", () => {
    const base = { branch: "main", head_sha: "a", tree_sha: "b", has_workflow: true };
    const repository = { ...AT, base, settings: null, settings_problem: null };
    expect(told(null, SEEN, { type: "observed", repository }).set_up.phase).toBe("needless");
  });

  it("is left alone on a server that offers no set-up", () => {
    const { state, effects } = step(null, SEEN, T0, false);
    expect([state?.set_up.phase, effects]).toEqual(["unknown", []]);
  });

  it("is looked at again with its first commit, and some hours after a refusal", () => {
    const empty = told(null, SEEN, read({ default_branch: null, head: null }));
    const push = {
      type: "pushed",
      repository: AT,
      branch: "main",
      head_sha: "a",
      tree_sha: "b",
      files_changed: false,
      lock_files_changed: false,
    } as const;
    expect(step(empty, push).effects).toEqual([["read-set-up", 2_000]]);
    const refused = told(null, SEEN, read({}), { type: "set-up-refused" });
    expect(nextTimerAt(refused)).toBe(T0 + RETRY_MS);
    expect(step(refused, { type: "tick" }, T0 + RETRY_MS - 1).effects).toEqual([]);
    const woken = step(refused, { type: "tick" }, T0 + RETRY_MS);
    expect(woken.effects).toEqual([["read-set-up", 2_000]]);
    expect(woken.state && nextTimerAt(woken.state)).toBeNull();
  });
});

describe("a repository that was not visible", () => {
  const unseen = () => told(null, SEEN, { type: "set-up-read", facts: null });

  it("is looked at again some hours later", () => {
    expect(unseen().set_up.phase).toBe("impossible");
    expect(nextTimerAt(unseen())).toBe(T0 + RETRY_MS);
  });

  it("is looked at again at once with another installation", () =>
    expect(step(told(unseen(), { type: "installed", repository: AT }), SEEN).effects).toEqual([
      ["read-set-up", 2_000],
    ]));
});

describe("the set-up pull request", () => {
  it("is edited at most once a minute", () => {
    const changed: RepositoryCommand = { type: "set-up-changed" };
    expect(step(offered(), changed).effects).toEqual([["read-set-up", 2_000]]);
    const open = read({ pull_request: { number: 3, state: "open" } });
    expect(step(offered(), open, T0 + 1_000).effects).toEqual([["update-set-up-pull-request", SHOW_GAP_MS - 1_000]]);
  });

  it("keeps whether a person wants a first job, until they say otherwise", () => {
    expect(offered().set_up.first_job).toBe(true);
    const unticked = told(offered(), { type: "set-up-changed", first_job: false });
    expect(unticked.set_up.first_job).toBe(false);
    expect(told(unticked, { type: "set-up-changed" }, read({})).set_up.first_job).toBe(false);
    expect(told(unticked, { type: "set-up-changed", first_job: true }).set_up.first_job).toBe(true);
  });

  it("means no when it is closed, and stays a no", () => {
    const declined = told(offered(), read({ pull_request: { number: 3, state: "closed" } }));
    expect(declined.set_up.phase).toBe("declined");
    for (const command of [SEEN, { type: "tick" }, { type: "installed", repository: AT }] as const)
      expect(step(declined, command).effects).toEqual([]);
    const heard = step(declined, { type: "set-up-changed" });
    expect(told(heard.state, read({ pull_request: { number: 3, state: "closed" } })).set_up.phase).toBe("declined");
  });

  it("means yes again when a person opens it again", () => {
    const declined = told(offered(), read({ pull_request: { number: 3, state: "closed" } }));
    expect(step(declined, { type: "set-up-changed" }).effects).toEqual([["read-set-up", 2_000]]);
    expect(told(declined, read({ pull_request: { number: 3, state: "open" } })).set_up.phase).toBe("offered");
  });

  it("has its links read anew when the repository is renamed, and only then", () => {
    const renamed = { type: "installed", repository: { ...AT, name: "other" } } as const;
    expect(step(offered(), renamed).effects).toEqual([["read-set-up", 2_000]]);
    expect(step(offered(), { type: "installed", repository: AT }).effects).toEqual([]);
  });

  it("stays a no where what was read beside it is damaged", () => {
    const declined = told(offered(), read({ pull_request: { number: 3, state: "closed" } }));
    const damaged = { ...declined, set_up: { ...declined.set_up, facts: { url: "x" } } };
    expect(repositoryStateSchema.parse(damaged).set_up).toMatchObject({
      phase: "declined",
      pull_request: 3,
      facts: null,
    });
  });

  it("is complete with the first result after the merge, and is left alone from then on", () => {
    const merged = told(offered(), MERGED, { type: "run-seen", url: null });
    expect(merged.set_up.phase).toBe("merged");
    const done = told(merged, { type: "run-ended", problem: null });
    expect(done.set_up.phase).toBe("complete");
    expect(step(done, { type: "run-ended", problem: "no_key" }).effects).toEqual([]);
  });

  it("is complete without a merge where the files came another way", () => {
    const elsewhere = read({
      pull_request: { number: 3, state: "open" },
      files: { settings: { problem: null }, workflow: GOOD },
    });
    const { state, effects } = step(told(offered(), elsewhere), { type: "run-ended", problem: null });
    expect(state?.set_up.phase).toBe("complete");
    expect(effects.map(([type]) => type)).toEqual(["update-set-up-pull-request"]);
  });

  it.each(RUN_PROBLEMS)("tells of a run that failed on %s, and of the one that did not", (code) => {
    const failed = told(offered(), MERGED, { type: "run-ended", problem: code });
    expect(failed.runs.problem).toEqual({ code, at: T0 });
    const mended = told(failed, { type: "run-ended", problem: null });
    expect([mended.runs.problem, mended.set_up.phase]).toEqual([null, "complete"]);
  });
});

describe("a push that may have changed the settings", () => {
  it("has them read, and keeps nothing of the branch until they are", () => {
    const base = { branch: "main", head_sha: "a", tree_sha: "b", has_workflow: true };
    const known = told(null, { type: "observed", repository: { ...AT, base, settings: null, settings_problem: null } });
    const push = {
      type: "pushed",
      repository: AT,
      branch: "main",
      head_sha: "c",
      tree_sha: "d",
      files_changed: false,
      lock_files_changed: false,
    } as const;
    expect(step(known, push).state?.base).toEqual({ ...base, head_sha: "c", tree_sha: "d" });
    const changed = step(known, { ...push, files_changed: true });
    expect([changed.state?.base, changed.effects]).toEqual([null, [["read-settings", -T0]]]);
  });
});

describe("whatever comes, in whatever order,", () => {
  const pull = fc.option(fc.record({ number: fc.constant(3), state: fc.constantFrom("open", "closed", "merged") }));
  const files = fc.record({
    settings: fc.option(fc.constant({ problem: null })),
    workflow: fc.option(fc.constant(GOOD)),
  });
  const facts = fc.record({ pull_request: pull, files, archived: fc.boolean(), fork: fc.boolean() }) as fc.Arbitrary<
    Partial<SetUpFacts>
  >;
  const PLAIN: readonly RepositoryCommand[] = [
    SEEN,
    OFFERED,
    { type: "set-up-changed" },
    { type: "set-up-refused" },
    { type: "tick" },
    { type: "run-seen", url: null },
    { type: "installed", repository: AT },
    { type: "set-up-read", facts: null },
  ];
  const command: fc.Arbitrary<RepositoryCommand> = fc.oneof(
    fc.constantFrom(...PLAIN),
    facts.map(read),
    fc.constantFrom(null, ...RUN_PROBLEMS).map((problem) => ({ type: "run-ended", problem }) as const),
  );

  it("a second pull request is never opened, and a no is never asked again", () =>
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        let state: RepositoryState | null = null;
        for (const one of commands) {
          const before: RepositoryState | null = state;
          const next = step(before, one);
          state = next.state;
          const opens = next.effects.some(([type]) => type === "open-set-up-pull-request");
          if (opens) expect(before?.set_up.pull_request ?? null).toBeNull();
          const isReopened = one.type === "set-up-read" && one.facts?.pull_request?.state !== "closed";
          if (before?.set_up.phase === "declined" && !isReopened) expect(state?.set_up.phase).toBe("declined");
          if (state !== null) expect(SET_UP_PHASES).toContain(state.set_up.phase);
        }
      }),
    ));
});

describe("a repository with a cache", () => {
  const cache = { paths: ["~/.npm"], fill: ["npm ci"] };
  const settings = { ...DEFAULT_REPOSITORY_SETTINGS, cache };
  const readAgain: RepositoryCommand = {
    type: "settings-read",
    settings: { id: AT.id, settings, settings_problem: null },
  };
  const moved = (lock_files_changed: boolean): RepositoryCommand => ({
    ...{ type: "pushed", repository: AT, branch: "main", head_sha: "a", tree_sha: "b" },
    ...{ files_changed: false, lock_files_changed },
  });
  const fills = (state: RepositoryState, command: RepositoryCommand, now = T0) =>
    step(state, command, now).effects.filter(([type]) => type === "fill-cache");

  it("has it filled when the setting is new or another, and when lock files change", () => {
    const state = told(null, SEEN);
    expect(fills(state, moved(true))).toEqual([]);
    expect(fills(state, readAgain)).toEqual([["fill-cache", 2_000]]);
    const known = told(state, readAgain);
    expect(fills(known, readAgain)).toEqual([]);
    expect(fills(known, moved(false))).toEqual([]);
    expect(fills(known, moved(true))).toEqual([["fill-cache", 2_000]]);
  });

  it("has it filled at most once an hour", () => {
    const filled = told(null, SEEN, readAgain, { type: "cache-fill-started" });
    expect(fills(filled, moved(true), T0 + 60_000)).toEqual([["fill-cache", FILL_GAP_MS - 60_000]]);
    expect(fills(filled, moved(true), T0 + FILL_GAP_MS)).toEqual([["fill-cache", 2_000]]);
  });

  it("does not care when the run cannot be started, nor wants it once the setting is gone", () => {
    const state = told(null, SEEN, readAgain);
    expect(step(state, { type: "effect-abandoned", effect: { type: "fill-cache" } }).state).toEqual(state);
    expect(isEffectWanted({ type: "fill-cache" }, state)).toBe(true);
    expect(isEffectWanted({ type: "fill-cache" }, told(null, SEEN))).toBe(false);
  });
});
