import { describe, expect, it } from "vitest";
import type { Facts } from "../../src/domain/job/facts.ts";
import { evaluate, failureOf } from "../../src/domain/job/merge-verdict.ts";
import { NO_CHECKS_LIMIT_MS } from "../../src/domain/job/next-timer.ts";
import { begin, check, facts, led, settings, T0, TO_PULL_REQUEST } from "./job-fixtures.ts";

const job = led(begin(), ...TO_PULL_REQUEST);
const verdict = (change: Partial<Facts>, now = T0, subject = job) => evaluate(facts(change), subject, now);

describe("is the work good?", () => {
  it.each([
    ["all green", {}, "pass", "the only check passed"],
    [
      "skipped and neutral count as passed",
      { checks: [check({ state: "skipped" }), check({ state: "neutral" })] },
      "pass",
      "all 2 checks passed",
    ],
    ["skipped alone says nothing", { checks: [check({ state: "skipped" })] }, "wait", "no check has reported yet"],
    ["one red", { checks: [check(), check({ name: "lint", state: "failure" })] }, "fail", "1 of 2 checks failed"],
    [
      "one still running",
      { checks: [check(), check({ name: "lint", state: "pending" })] },
      "wait",
      "1 of 2 checks are done",
    ],
    ["one waits for a person", { checks: [check({ state: "action_required" })] }, "wait", "the only check is not done"],
    ["a run that has no check yet", { open_runs: [5] }, "wait", "1 workflow run is not complete"],
    [
      "red while a run goes on, for the rest may fail too",
      { checks: [check({ state: "failure" })], open_runs: [5] },
      "wait",
      "1 workflow run is not complete",
    ],
    ["no check at all", { checks: [] }, "wait", "no check has reported yet"],
    [
      "our own check alone",
      { checks: [check({ ours: true, name: "journeyman" })] },
      "wait",
      "no check has reported yet",
    ],
    [
      "our own check pending beside a green one",
      { checks: [check(), check({ ours: true, state: "pending" })] },
      "pass",
      "the only check passed",
    ],
    [
      "a cancelled one, which decides nothing",
      { checks: [check(), check({ name: "lint", state: "cancelled" })] },
      "wait",
      "checks were cancelled, so nothing is decided",
    ],
    [
      "a conflict, since no workflow begins on it",
      { checks: [], mergeable: "conflict", ci_begun: false },
      "wait",
      "it conflicts with the base branch",
    ],
    [
      "a conflict that keeps a required check away",
      { mergeable: "conflict", settings: settings({ required_checks: ["e2e"] }) },
      "wait",
      "it conflicts with the base branch",
    ],
    [
      "red beside a conflict",
      { checks: [check({ state: "failure" })], mergeable: "conflict" },
      "fail",
      "the only check failed",
    ],
    ["green beside a conflict", { mergeable: "conflict" }, "pass", "the only check passed"],
    [
      "more checks than were read",
      { checks_complete: false },
      "wait",
      "there are more checks than can be judged; a person must merge",
    ],
    ["another head", { head_sha: "elsewhere" }, "wait", "the branch has just moved; it is judged again"],
  ] as const)("%s", (_name, change, expected, text) => {
    expect(verdict(change).work).toMatchObject({ verdict: expected, text });
  });

  it("waits for checks that the settings require, whatever else is green", () => {
    const { work } = verdict({ settings: settings({ required_checks: ["e2e"] }) });
    expect(work).toMatchObject({ verdict: "wait", because: [{ text: "e2e has not reported" }] });
  });

  it("waits for checks that the branch's rules require and nobody makes, and names each at every stage", () => {
    const required = [{ name: "e2e", app_id: null }];
    const named = {
      text: "e2e has not reported, and a rule of main requires it; let it run, or take it out of that rule",
    };
    expect(verdict({ required }).work).toMatchObject({ text: "required checks have not reported", because: [named] });
    expect(verdict({ required, open_runs: [5] }).work.because).toEqual([expect.objectContaining(named)]);
    const pending = verdict({ required, checks: [check({ state: "pending" })] }).work;
    expect(pending.because.map(({ text }) => text)).toEqual(["ci is not done", named.text]);
    expect(verdict({ required, checks: [check({ name: "e2e" })] }).work.verdict).toBe("pass");
  });

  it("takes a required check from the App alone that a rule names, also where the settings name the check", () => {
    const required = [{ name: "e2e", app_id: 15368 }];
    const required_checks = settings({ required_checks: ["e2e"] });
    for (const more of [{}, { settings: required_checks }]) {
      const by = (app_id: number | null, sure = false) =>
        verdict({ required, checks: [check({ name: "e2e", app_id, required: sure })], ...more }).work;
      expect(by(15368).verdict).toBe("pass");
      expect(by(7)).toMatchObject({
        verdict: "wait",
        because: [
          { text: "e2e has not reported from GitHub Actions, which a rule of main names; others do not count" },
        ],
      });
      // of statuses GitHub does not tell the App, but whether it is the one
      expect(by(null).verdict).toBe("wait");
      expect(by(null, true).verdict).toBe("pass");
    }
  });

  it("names the App from which nothing has come, and a check that GitHub does not count", () => {
    const missing = verdict({ required: [{ name: "e2e", app_id: 77 }] }).work.because[0]?.text;
    expect(missing).toContain("a rule of main requires it from the App with the number 77; let it run");
    const blocked = (required: boolean) =>
      verdict({
        ...{ merge_state: "BLOCKED", auto_merge_allowed: false, required: [{ name: "e2e", app_id: null }] },
        checks: [check({ name: "e2e", app_id: 7, required })],
      }).merge.text;
    expect(blocked(false)).toBe(
      "e2e has reported, but GitHub does not count it; a rule of main wants it from another App",
    );
    expect(blocked(true)).toBe("the branch's rules are not met; a review may be missing");
  });

  it("needs no check where the settings say so", () => {
    expect(verdict({ checks: [], settings: settings({ require_checks: false }) }).work.verdict).toBe("pass");
  });

  it("leaves unchecked work to a person after half an hour, and never work that costs money", () => {
    const later = (job.submitted_at ?? 0) + NO_CHECKS_LIMIT_MS;
    const left = verdict({ checks: [] }, later);
    expect(left.work.verdict).toBe("pass");
    expect(left.merge).toMatchObject({ how: "none", never: true });
    expect(verdict({ checks: [] }, later, { ...job, price_cents: 500 }).work.verdict).toBe("wait");
  });
});

describe("unchecked work that conflicts", () => {
  it("is left to a person after half an hour, for what it lacks, and merges once that is resolved", () => {
    const later = (job.submitted_at ?? 0) + NO_CHECKS_LIMIT_MS;
    const left = verdict({ checks: [], mergeable: "conflict" }, later);
    expect(left.work.verdict).toBe("pass");
    expect(left.merge).toMatchObject({
      never: false,
      text: "it conflicts with the base branch",
    });
  });
});

it("follows a base that has got another name, and no other", () => {
  expect(verdict({ base: "trunk", base_renamed: true }).merge.how).toBe("now");
  expect(verdict({ base: "trunk" }).merge).toMatchObject({ never: true });
});

describe("what never merges by itself", () => {
  it.each([
    [".github/workflows/x.yml", "files below .github"],
    [".GITHUB/actions/x/action.yml", "files below .github"],
    [".git\u200bhub/workflows/x.yml", "files below .github"],
    [".github/CODEOWNERS", "files below .github"],
    ["CODEOWNERS", "CODEOWNERS files"],
    ["docs/CodeOwners", "CODEOWNERS files"],
    ["AGENTS.md", "instructions for agents"],
    ["packages/api/agents.MD", "instructions for agents"],
    ["CLAUDE.md", "instructions for agents"],
    ["src/deep/down/Claude.md", "instructions for agents"],
    [".claude/settings.json", "instructions for agents"],
    [".gitattributes", ".gitattributes files"],
    ["src/.GitAttributes", ".gitattributes files"],
    [".gitmodules", ".gitmodules files"],
    [".gitModules", ".gitmodules files"],
  ])("%j", (path, what) => {
    const { merge } = verdict({ changed_files: ["ok.md", path] });
    expect(merge).toMatchObject({
      ...{ how: "none", never: true },
      text: `it changes ${path}, and ${what} never merge by themselves`,
    });
  });

  it.each(["src/codeowners", "agents.md.txt", "docs/about-CLAUDE.md", "github/x.yml", "claude/settings.json"])(
    "but %j does",
    (path) => expect(verdict({ changed_files: [path] }).merge.how).toBe("now"),
  );
});

describe("may it be merged?", () => {
  it.each([
    ["clean", {}, "now", false, "it can be merged"],
    ["our own check under way", { merge_state: "UNSTABLE" }, "now", false, "it can be merged"],
    ["red", { checks: [check({ state: "failure" })] }, "none", false, "it merges once the checks are green"],
    [
      "off by the settings",
      { settings: settings({ enabled: false }) },
      "none",
      true,
      "auto-merge is off here; set `auto_merge: {enabled: true}` in .github/journeyman.yml to turn it on",
    ],
    [
      "a workflow file",
      { changed_files: [".github/workflows/x.yml"] },
      "none",
      true,
      "it changes .github/workflows/x.yml, and files below .github never merge by themselves",
    ],
    [
      "a workflow file in other letters",
      { changed_files: [".GitHub/workflows/x.yml"] },
      "none",
      true,
      "it changes .GitHub/workflows/x.yml, and files below .github never merge by themselves",
    ],
    [
      "outside the allowed paths",
      { changed_files: ["docs/a.md", "src/a.ts"], settings: settings({ allowed_paths: ["docs/**"] }) },
      "none",
      true,
      "it changes src/a.ts, which allowed_paths does not name",
    ],
    [
      "inside of a forbidden folder",
      { changed_files: ["ok.md", "legal/terms.md"], settings: { ...settings(), forbidden_paths: ["legal/"] } },
      "none",
      true,
      "it changes legal/terms.md, which forbidden_paths names",
    ],
    [
      "held against globs that once took for ever",
      { changed_files: ["a".repeat(110)], settings: { ...settings(), forbidden_paths: [`${"*a".repeat(12)}*b`] } },
      "now",
      false,
      "it can be merged",
    ],
    [
      "more to compare than one verdict may take",
      {
        changed_files: Array.from({ length: 300 }, (_, at) => "a".repeat(4_000 + at)),
        settings: { ...settings(), forbidden_paths: Array.from({ length: 100 }, () => `*${"a".repeat(400)}*b`) },
      },
      "none",
      true,
      "its files cannot be held against so many and so long globs; simplify those of the settings",
    ],
    [
      "a glob of settings from before, which cannot be read",
      { settings: settings({ allowed_paths: ["+(a)"] }) },
      "none",
      true,
      "its settings hold a glob that cannot be read: +(a)",
    ],
    [
      "more files than were read",
      { changed_files_complete: false },
      "none",
      true,
      "it changes more files than can be checked",
    ],
    ["a draft", { draft: true }, "none", false, "the pull request is a draft; mark it as ready"],
    ["changes requested", { review: "changes_requested" }, "none", false, "a review asks for changes"],
    ["a conflict", { mergeable: "conflict" }, "none", false, "it conflicts with the base branch"],
    ["not computed yet", { mergeable: "unknown" }, "none", false, "GitHub is still computing whether it can be merged"],
    ["behind its base", { merge_state: "BEHIND" }, "none", false, "the base branch must be merged into it first"],
    [
      "rules that wait, auto-merge allowed",
      { merge_state: "BLOCKED" },
      "auto",
      false,
      "GitHub merges it once its rules are met",
    ],
    [
      "rules that wait, auto-merge on",
      { merge_state: "BLOCKED", auto_merge_enabled: true },
      "none",
      false,
      "GitHub merges it once its rules are met",
    ],
    [
      "rules that wait, auto-merge not allowed",
      { merge_state: "BLOCKED", auto_merge_allowed: false },
      "none",
      false,
      "the branch's rules are not met; a review may be missing",
    ],
    ["a state nobody has seen", { merge_state: "NEW" }, "none", false, "GitHub says NEW"],
    ["a closed pull request", { state: "closed" }, "none", false, "the pull request is closed"],
  ] as const)("%s", (_name, change, how, never, text) => {
    expect(verdict(change as Partial<Facts>).merge).toMatchObject({ how, never, text });
  });

  it("never after a cancel or with --no-merge", () => {
    expect(verdict({}, T0, { ...job, cancellation_requested: true }).merge.never).toBe(true);
    expect(verdict({}, T0, { ...job, choices: { ...job.choices, no_merge: true } }).merge.never).toBe(true);
  });

  it("allows hidden files that a glob names", () => {
    expect(verdict({ changed_files: [".editorconfig"] }).merge.how).toBe("now");
  });
});

describe("a base that wants signed commits", () => {
  const how = (method: "merge" | "squash" | "rebase", unsigned: number | null, change: Partial<Facts> = {}) =>
    verdict({ signatures: { required: true, unsigned }, settings: settings({ method }), ...change }).merge;

  it("gets a squash, and a merge of signed commits", () => {
    expect([how("squash", null).how, how("merge", 0).how]).toEqual(["now", "now"]);
  });

  it("gets neither a rebase nor unsigned commits, until that is mended", () => {
    expect(how("rebase", null)).toMatchObject({ how: "none", never: false, verdict: "wait" });
    expect(how("rebase", null).text).toContain("a rebase loses signatures; set `auto_merge.method: squash`");
    expect(how("merge", 1).text).toContain("1 commit of the pull request is not; sign them, or set");
    expect(how("merge", 2).text).toContain("2 commits of the pull request are not;");
  });

  it("is left to its merge queue, which has a method of its own", () => {
    const queue = { required: true, entry: null, left: null, failed: [] };
    expect(how("rebase", null, { queue }).how).toBe("queue");
  });
});

it("tells the next attempt what failed, in the checks' own words", () => {
  const text = failureOf(facts({ checks: [check({ name: "test", state: "failure", summary: "boom" }), check()] }));
  expect(text).toBe("The check “test” failed.\nboom");
});
