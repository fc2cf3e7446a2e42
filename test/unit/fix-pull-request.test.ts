import { describe, expect, it } from "vitest";
import type { GitHubEvent } from "../../src/domain/job/github-event.ts";
import { fixAsked, fixDraft } from "../../src/engine/fix-pull-request.ts";
import type { PullRequestToFix } from "../../src/engine/ports/github.ts";
import { readSlashCommand } from "../../src/github/events/slash-command.ts";

type Slash = Extract<GitHubEvent, { type: "slash" }>;

const said = (comment: string, is_pull_request = true): Slash => {
  const command = readSlashCommand(comment);
  if (command === null) throw new Error("no command");
  return {
    type: "slash",
    repository: { owner: "octo", name: "demo", id: 1, installation_id: 1 },
    issue: { number: 9, title: "Say hello", body: "Politely.", is_pull_request },
    ...{ comment_id: 70, author: "ada", author_id: 5, command },
  };
};
const pull = (change: Partial<PullRequestToFix> = {}): PullRequestToFix => ({
  ...{ state: "open", url: "https://github.test/octo/demo/pull/9", head_branch: "mine", from_fork: false },
  ...{ title: "Say hello", head_sha: "c".repeat(40), bot: null },
  ...{ is_default_branch: false, failing: ["ci", "lint"], cancelled: [], pending: 0, ...change },
});
const answered = (comment: string, change: Partial<PullRequestToFix> = {}) => {
  const event = said(comment);
  return fixDraft(event, fixAsked(event) ?? "", "ada", pull(change));
};

describe("what asks for a fix", () => {
  it.each([
    ["/job fix", ""],
    ["/job fix!", ""],
    ["/job fix it please", ""],
    ["/job Fix the failing tests.", ""],
    ["/job fix: the typo in README", "the typo in README"],
    ["/job --model claude-opus-5 fix the login", "the login"],
    ["/job fixture files are missing", null],
    ["/job fix-up the login", null],
    ["/job repair it", null],
  ])("%s", (comment, words) => {
    expect(fixAsked(said(comment))).toBe(words);
  });

  it("is a task as any other on an issue", () => {
    expect(fixAsked(said("/job fix the login", false))).toBeNull();
  });
});

describe("the draft of a fix", () => {
  it("works on the branch of the pull request, with what fails as its task", () => {
    expect(answered("/job fix")).toMatchObject({
      draft: {
        base_branch: "mine",
        target: { number: 9, branch: "mine", url: "https://github.test/octo/demo/pull/9" },
        title: "Fix the checks of #9: Say hello",
        task: "Make the failing checks of this pull request pass: `ci`, `lint`.\n\n---\nAsked for in #9: Say hello\n\nPolitely.",
      },
    });
    expect(answered("/job fix the typo", { failing: [] })).toMatchObject({ draft: { title: "the typo" } });
  });

  it("names no more checks than fit, and none that leaves its quotes", () => {
    const failing = ["a` `b\n# c", ...Array.from({ length: 20 }, (_, n) => `check ${n}`)];
    const made = answered("/job fix", { failing });
    expect("draft" in made && made.draft.task.split("\n")[0]).toMatch(
      /^Make .*pass: `a b # c`, .*`check 8` and 11 more\.$/,
    );
  });

  it.each([
    ["a fork", { from_fork: true }, /comes from a fork/],
    ["a closed one", { state: "closed" }, /is closed/],
    ["a merged one", { state: "merged" }, /is merged/],
    ["the default branch", { is_default_branch: true }, /the default branch, which no job pushes to/],
    ["a job's branch that is not known", { head_branch: "job/abcd1234" }, /branch of a job/],
    ["the set-up", { head_branch: "journeyman-set-up" }, /^Merge this pull request first/],
    ["nothing that fails", { failing: [] }, /^No check of this pull request fails\./],
    ["checks that are not done", { failing: [], pending: 2 }, /some are not done. Ask again/],
    ["a cancelled check", { failing: [], cancelled: ["e2e"] }, /`e2e` was cancelled, so run it again on GitHub/],
  ] as const)("is refused for %s", (_what, change, sentence) => {
    expect(answered("/job fix", change)).toMatchObject({ sentence: expect.stringMatching(sentence) });
  });

  it("is refused for the market", () => {
    expect(answered("/job --market --price 5.00 fix it")).toMatchObject({
      sentence: expect.stringContaining("market"),
    });
  });
});
