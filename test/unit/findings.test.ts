/** Findings: what the doctor and the set-up pull request say of a repository. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { APP_EVENTS, APP_PERMISSIONS, eventsLacking, permissionsLacking } from "../../src/contracts/app-permissions.ts";
import { DEFAULT_REPOSITORY_SETTINGS, repositorySettingsSchema } from "../../src/contracts/settings.ts";
import { findingsOf } from "../../src/domain/repository/findings.ts";
import { newRepository, type RepositoryState, type SetUpFacts } from "../../src/domain/repository/repository.ts";
import { RUN_PROBLEMS, WORKFLOW_MISTAKES } from "../../src/domain/repository/schema.ts";
import { runJobWorkflow } from "../../src/github/render/run-job-workflow.ts";
import { newFileLink, setUpBody } from "../../src/github/render/set-up.ts";
import { SETTINGS_TEMPLATE } from "../../src/github/render/settings-template.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";

const URL = "https://github.com/octo/demo";
/** As a policy may ask for it. */
const PINNED = { uses: `acme/fork/.github/actions/run-job@${"0".repeat(40)}`, federation: null };
const GOOD = { mistakes: [], outdated: false };
const FACTS: SetUpFacts = {
  url: URL,
  default_branch: "main",
  head: { sha: "a", tree: "b" },
  is_private: false,
  archived: false,
  fork: false,
  files: { settings: { problem: null }, workflow: GOOD },
  offered: null,
  pull_request: null,
  ci_on_pull_request: true,
  merge_methods: ["merge", "squash", "rebase"],
  auto_merge_allowed: true,
  required_checks: ["test"],
};

const merging = { ...DEFAULT_REPOSITORY_SETTINGS.auto_merge, enabled: true };
const STATE: RepositoryState = {
  ...newRepository({ id: 42, owner: "octo", name: "demo", installation_id: 7 }),
  settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: merging },
};

const codesOf = (facts: Partial<SetUpFacts>, state: Partial<RepositoryState> = {}): string[] =>
  findingsOf({ state: { ...STATE, ...state }, facts: { ...FACTS, ...facts }, missing: null }).map(({ code }) => code);

const withMethod = (method: "merge" | "squash" | "rebase") => ({
  settings: { ...DEFAULT_REPOSITORY_SETTINGS, auto_merge: { ...merging, method } },
});

describe("findings", () => {
  it("are none where everything is as it should be", () => expect(codesOf({})).toEqual([]));

  it.each<[string, Partial<SetUpFacts>, Partial<RepositoryState>]>([
    ["archived", { archived: true }, {}],
    ["empty", { default_branch: null, head: null }, {}],
    ["workflow_missing", { files: { settings: null, workflow: null } }, {}],
    ["workflow_outdated", { files: { settings: null, workflow: { mistakes: [], outdated: true } } }, {}],
    ["settings_broken", { files: { settings: { problem: "`x` is broken." }, workflow: GOOD } }, {}],
    ["auto_merge_off", {}, { settings: null }],
    ["merge_method_forbidden", { merge_methods: ["squash"] }, withMethod("rebase")],
    ["ci_not_on_pull_request", { ci_on_pull_request: false }, {}],
    ["no_required_check", { required_checks: [] }, {}],
    ...WORKFLOW_MISTAKES.map(
      (mistake) =>
        [
          `workflow_${mistake}`,
          { files: { settings: null, workflow: { mistakes: [mistake], outdated: false } } },
          {},
        ] as [string, Partial<SetUpFacts>, Partial<RepositoryState>],
    ),
    ...RUN_PROBLEMS.filter((code) => code !== "run_did_not_start").map(
      (code) =>
        [code, {}, { runs: { first_run: null, first_result_at: null, problem: { code, at: 1 } } }] as [
          string,
          Partial<SetUpFacts>,
          Partial<RepositoryState>,
        ],
    ),
  ])("tell %s alone, in sentences, with a place to mend it", (code, facts, state) => {
    expect(codesOf(facts, state)).toEqual([code]);
    const [finding] = findingsOf({ state: { ...STATE, ...state }, facts: { ...FACTS, ...facts }, missing: null });
    for (const text of [finding?.problem, finding?.fix]) expect(text).toMatch(/^[`\p{Lu}].*\.$/u);
    expect(finding?.url).toMatch(/^https:\/\/github\.com\/octo\/demo/);
    expect(finding?.certainty).toBe((RUN_PROBLEMS as readonly string[]).includes(code) ? "probable" : "certain");
  });

  it("tell of files of what starts by itself that are broken, and of schedules that are paused", () => {
    const problem = "`config/CRONS.json` is not valid JSON: fix it, or delete the file.";
    const automation = { schedules: [], triggers: [], problems: [{ from: "config/CRONS.json" as const, problem }] };
    const last = { due_at: 1, job: "abcd1234", came_to: "failed" as const, why: "No." };
    const paused = { name: "nightly", pattern: "", next: null, last, skipped_at: null, failures: 3, paused_at: 2 };
    const state = { ...STATE, automation, schedules: [paused, { ...paused, name: "weekly", paused_at: null }] };
    expect(findingsOf({ state, facts: FACTS, missing: null })).toMatchObject([
      { code: "automation_broken", problem, url: "https://github.com/octo/demo/blob/HEAD/config/CRONS.json" },
      { code: "schedule_paused", problem: expect.stringContaining("`nightly`"), url: null },
    ]);
  });

  it("tell of a cache that was not filled while there is one, as advice that is concluded from the run", () => {
    const cache_failed = "https://github.com/octo/demo/actions/runs/1";
    const settings = {
      ...DEFAULT_REPOSITORY_SETTINGS,
      auto_merge: merging,
      cache: { paths: ["~/.npm"], fill: ["npm ci"] },
    };
    expect(findingsOf({ state: STATE, facts: FACTS, missing: null, cache_failed })).toEqual([]);
    expect(codesOf({}, { settings })).toEqual([]);
    const state = { ...STATE, settings };
    expect(findingsOf({ state, facts: FACTS, missing: null, cache_failed })).toMatchObject([
      { code: "cache_not_filled", level: "advice", certainty: "probable", url: cache_failed },
    ]);
  });

  it("put a run that did not start down to the workflow file, or to the rules of Actions where the file is right", () => {
    const runs = { first_run: null, first_result_at: null, problem: { code: "run_did_not_start" as const, at: 1 } };
    expect(codesOf({}, { runs })).toEqual(["action_not_allowed"]);
    const broken = { settings: null, workflow: { mistakes: ["unreadable" as const], outdated: false } };
    expect(codesOf({ files: broken }, { runs })).toEqual(["workflow_unreadable", "run_did_not_start"]);
  });

  it("tell of a permission without which jobs run and merge all the same, and where it is accepted", () => {
    const missing = { permissions: ["merge_queues: read"], events: ["merge_group", "release"], url: `${URL}/accept` };
    const found = findingsOf({ state: STATE, facts: FACTS, missing });
    expect(found.map(({ code, level, url }) => [code, level, url])).toEqual([
      ["permissions_missing", "advice", `${URL}/accept`],
      ["events_missing", "advice", `${URL}/accept`],
    ]);
    expect(found[0]?.problem).toMatch(/`merge_queues: read`\. Jobs run and merge without them/);
  });

  it("tell what an owner has not accepted", () => {
    const missing = { permissions: ["contents: write"], events: ["push"], url: `${URL}/accept` };
    const found = findingsOf({ state: STATE, facts: FACTS, missing });
    expect(found.map(({ code, level }) => [code, level])).toEqual([
      ["permissions_missing", "problem"],
      ["events_missing", "advice"],
    ]);
  });
});

describe("a set-up pull request that is open", () => {
  const open = { pull_request: { number: 7, state: "open" as const }, files: { settings: null, workflow: null } };
  const offered = (workflow: SetUpFacts["files"]["workflow"]) => ({ sha: "c", settings: null, workflow });
  const first = (facts: Partial<SetUpFacts>) =>
    findingsOf({ state: STATE, facts: { ...FACTS, ...open, ...facts }, missing: null })[0];

  it("is where a missing workflow is added, merged or corrected", () => {
    expect(first({})).toMatchObject({ code: "workflow_missing", url: `${URL}/pull/7` });
    expect(first({ offered: offered(GOOD) })?.fix).toBe("Merge the set-up pull request.");
    const broken = first({ offered: offered({ mistakes: ["no_identity"], outdated: false }) });
    expect(broken).toMatchObject({ code: "workflow_no_identity", url: expect.stringContaining("journeyman-set-up") });
  });

  it("tells before the merge what will keep its settings from merging, and shows the right lines of a wrong file", () => {
    const facts = {
      ...FACTS,
      ...open,
      ci_on_pull_request: false,
      offered: offered({ mistakes: ["no_identity"], outdated: false }),
    };
    const body = setUpBody({ ...STATE, settings: null, set_up: { ...STATE.set_up, phase: "offered", facts } }, PINNED);
    expect(body).toContain("No workflow runs on `pull_request`");
    expect(body).toContain(`- uses: ${PINNED.uses}\n`);
  });

  it("tells beside what is wrong that no check is required, and of a way to merge that is not allowed", () => {
    const facts = { ...FACTS, ...open, merge_methods: ["merge" as const], required_checks: [], offered: offered(GOOD) };
    const bodyWith = (more: Partial<SetUpFacts>) =>
      setUpBody(
        { ...STATE, settings: null, set_up: { ...STATE.set_up, phase: "offered", facts: { ...facts, ...more } } },
        PINNED,
      );
    const [list = "", told = ""] = bodyWith({}).split("### Worth knowing");
    expect(list).not.toContain("Not right yet");
    expect(told).toMatch(/^- The settings merge by `squash`.* \[Go there\]\(https:[^)]*\/settings\)$/m);
    expect(told).toMatch(/^- No check is required, .* \[Go there\]\(https:[^)]*\/settings\/rules\)$/m);
    expect(bodyWith({ required_checks: ["test"], merge_methods: ["squash"] })).not.toContain("Worth knowing");
  });
});

it("is no problem to merge in another way where the repository does not allow the one of the settings", () => {
  const state = { ...STATE, ...withMethod("rebase") };
  const levels = (merge_methods: SetUpFacts["merge_methods"]) =>
    findingsOf({ state, facts: { ...FACTS, merge_methods }, missing: null }).map(({ level }) => level);
  expect([levels(["squash"]), levels([])]).toEqual([["advice"], ["problem"]]);
});

describe("the App's permissions", () => {
  it("are those of app.yml", () => {
    const manifest = z
      .object({ default_permissions: z.record(z.string(), z.string()), default_events: z.array(z.string()) })
      .parse(parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8")));
    expect(manifest.default_permissions).toEqual(APP_PERMISSIONS);
    expect(manifest.default_events.toSorted()).toEqual([...APP_EVENTS]);
  });

  it("may be granted further than asked, and lack where they are not granted far enough", () => {
    expect(permissionsLacking({ ...APP_PERMISSIONS, contents: "admin" })).toEqual([]);
    expect(permissionsLacking({ ...APP_PERMISSIONS, contents: "read" })).toEqual(["contents: write"]);
    expect(eventsLacking(APP_EVENTS.slice(1))).toEqual([APP_EVENTS[0]]);
  });
});

describe("the set-up pull request", () => {
  it("brings settings that are valid, merge what is green, and name every setting that there is", () => {
    const read = parseSettings(SETTINGS_TEMPLATE);
    expect(read).toMatchObject({ ok: true, settings: { auto_merge: { enabled: true } } });
    const shown = SETTINGS_TEMPLATE.replaceAll(/^# ?(?=[a-z_]+:| {2})/gm, "");
    for (const name of Object.keys(repositorySettingsSchema.shape)) expect(shown).toMatch(new RegExp(`^${name}:`, "m"));
  });

  it("links to GitHub's page for a new file by an address that GitHub takes", () => {
    const url = newFileLink(`https://github.com/${"o".repeat(39)}/${"r".repeat(100)}`, "journeyman-set-up", PINNED);
    expect(url.length).toBeLessThan(4_000);
    expect(
      setUpBody(
        { ...STATE, set_up: { ...STATE.set_up, facts: { ...FACTS, files: { settings: null, workflow: null } } } },
        PINNED,
      ),
    ).toContain(newFileLink(URL, "journeyman-set-up", PINNED));
    expect(decodeURIComponent(newFileLink(URL, "journeyman-set-up", PINNED))).toContain(`- uses: ${PINNED.uses}\n`);
  });

  it("asks for no secret where runs sign in as themselves, and its file still has 25 lines at the most", () => {
    const ids = ["fdrl_a", "0000-b", "svac_c", "wrkspc_d"];
    const keyless = { ...PINNED, federation: ids };
    const files = { settings: null, workflow: null };
    const state = { ...STATE, set_up: { ...STATE.set_up, facts: { ...FACTS, files } } };
    const body = setUpBody(state, keyless);
    expect(body).toContain("- [x] No key is needed");
    expect(body).not.toContain("secret");
    const text = runJobWorkflow(keyless);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(25);
    expect(parse(text).jobs.run.steps[0].with).toEqual({
      ...{ anthropic_federation_rule_id: "fdrl_a", anthropic_organization_id: "0000-b" },
      ...{ anthropic_service_account_id: "svac_c", anthropic_workspace_id: "wrkspc_d" },
    });
    expect(parse(runJobWorkflow(PINNED)).jobs.run.steps[0].with).toEqual({
      anthropic_api_key: expect.stringContaining("secrets.ANTHROPIC_API_KEY"),
    });
  });

  it("links to the default branch without its name, which may hold anything", () => {
    const merged = { number: 3, state: "merged" } as const;
    const files = { settings: null, workflow: null };
    const facts = { ...FACTS, default_branch: "a#b)c", pull_request: merged, files };
    expect(setUpBody({ ...STATE, set_up: { ...STATE.set_up, facts } }, PINNED)).toContain(
      newFileLink(URL, "HEAD", PINNED),
    );
  });
});
