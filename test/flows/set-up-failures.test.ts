/** A set-up that GitHub cuts off, refuses, or that people change while it is under way. */
import { describe, expect, it } from "vitest";
import { RUN_JOB_WORKFLOW } from "../../src/github/render/run-job-workflow.ts";
import { OWNER } from "../sandbox/environment.ts";
import type { Fault } from "../sandbox/github/main.ts";
import { type Harness, startHarness, until } from "./harness.ts";

const FRESH = `${OWNER}/fresh`;
const BRANCH = "journeyman-set-up";
const WORKFLOW = ".github/workflows/run-job.yml";
const SETTINGS = ".github/journeyman.yml";
/** As a policy may ask for it. */
const PINNED = `acme/fork/.github/actions/run-job@${"0".repeat(40)}`;
const ADA = "ada";
const MINUTE = 61_000;

/** In their order; the reading comes first. */
const CALLS: readonly (readonly [string, Fault["match"]])[] = [
  ["the reading", { graphql: /SetUp/ }],
  ["the tree", { method: "POST", path: /\/git\/trees$/ }],
  ["the commit", { method: "POST", path: /\/git\/commits$/ }],
  ["the branch", { method: "POST", path: /\/git\/refs$/ }],
  ["the pull request", { method: "POST", path: /\/pulls$/ }],
];

async function begun(files: Record<string, string> | null = { "README.md": "# fresh\n" }) {
  const harness = await startHarness({}, { SET_UP_PULL_REQUESTS: "true", RUN_ACTION: PINNED });
  const { github } = harness;
  github.createRepository({ owner: OWNER, name: "fresh", ...(files === null ? { empty: true } : { files }) });
  github.setCollaborator(FRESH, ADA, "write");
  const phase = async () => (await harness.app.store.repositories.get(OWNER, "fresh"))?.set_up.phase;
  const passing = (what: string, holds: () => boolean | Promise<boolean>, ms = MINUTE) =>
    until(what, () => {
      harness.pass(ms);
      return holds();
    });
  const body = (): string => github.issue(FRESH, github.pulls(FRESH)[0]?.number ?? 0).body ?? "";
  const offered = () => passing("the pull request", async () => (await phase()) === "offered");
  return { harness, github, phase, passing, body, offered };
}

const onePull = ({ github }: Harness, state: "open" | "closed" = "open") =>
  expect(github.pulls(FRESH).map((pull) => [pull.head, pull.state])).toEqual([[BRANCH, state]]);

describe("a set-up that is cut off", () => {
  it.each([
    ["fails", {}],
    ["is done and its answer is lost", { before: false }],
  ])("is taken up again, with one pull request, where each of its calls %s", async (_what, fault) => {
    const { harness, github, offered } = await begun();
    for (const [, match] of CALLS) github.faults.add({ match, status: 502, ...fault });
    github.install(FRESH);
    await offered();
    expect(github.faults.spent).toBe(true);
    await harness.sandbox.idle();
    onePull(harness);
    expect(Object.keys(github.tree(FRESH, BRANCH))).toContain(SETTINGS);
  });
});

describe("a set-up that GitHub refuses", () => {
  it("is given up without a word, and tried again some hours later", async () => {
    const { harness, github, phase, passing, offered } = await begun();
    github.faults.add({ match: { method: "POST", path: /\/git\/refs$/ }, status: 403 });
    github.install(FRESH);
    await passing("the refusal", async () => (await phase()) === "impossible", 2_500);
    await harness.sandbox.idle();
    expect(github.pulls(FRESH)).toEqual([]);
    harness.pass(6 * 3_600_000);
    await offered();
    onePull(harness);
  });

  it("waits for the first commit of an empty repository", async () => {
    const { harness, github, phase, passing, offered } = await begun(null);
    github.install(FRESH);
    await passing("the emptiness to be seen", async () => (await phase()) === "impossible", 2_500);
    github.pushCommit(FRESH, "main", { "README.md": "# fresh\n" }, ADA);
    await offered();
    onePull(harness);
  });
});

describe("what people do to a set-up", () => {
  it("settings that are there stay as they are, and the pull request asks for the workflow alone", async () => {
    const { github, offered, body } = await begun({ [SETTINGS]: "auto_merge:\n  enabled: true\n" });
    github.install(FRESH);
    await offered();
    expect(github.readFile(FRESH, BRANCH, SETTINGS)).toBe("auto_merge:\n  enabled: true\n");
    expect(body()).toContain(`/${FRESH}/new/${BRANCH}?filename=`);
    expect(decodeURIComponent(body())).toContain(`- uses: ${PINNED}\n`);
    expect(body()).not.toContain("explains the choices");
  });

  it("a workflow that is wrong is told with its fix, until it is right", async () => {
    const { github, offered, passing, body } = await begun();
    github.install(FRESH);
    await offered();
    const broken = RUN_JOB_WORKFLOW.replace(", id-token: write", "");
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: broken }, ADA);
    await passing("the mistake to be told", () => body().includes("Add `id-token: write` to its permissions."));
    expect(body()).toContain("[ ] [Correct");
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW, [SETTINGS]: "auto_merge: 7\n" }, ADA);
    await passing("the mistake to be gone", () => body().includes("[x] Add `.github"));
    expect(body()).toContain("Correct the file on this branch.");
    github.pushCommit(FRESH, BRANCH, { [SETTINGS]: "auto_merge: { enabled: true }\n" }, ADA);
    await passing("the settings to be right", () => !body().includes("Correct the file"));
  });

  it("a protected default branch takes it from a person, and never from the App", async () => {
    const { harness, github, offered, passing, body } = await begun();
    github.protect(FRESH, "main", { requiredReviews: 1 });
    const before = github.branches(FRESH).main;
    github.install(FRESH);
    await offered();
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    await passing("the workflow to be ticked", () => body().includes("[x] Add `.github"));
    expect(github.branches(FRESH).main).toBe(before);
    const number = github.pulls(FRESH)[0]?.number ?? 0;
    github.setCollaborator(FRESH, "olga", "write");
    github.review(FRESH, number, { state: "APPROVED", by: "olga" });
    await github.mergeByHand(FRESH, number, ADA);
    await passing("the merge to be ticked", () => body().includes("[x] Merge this pull request"));
    expect(github.calls().filter(({ route }) => route.endsWith("/merge"))).toEqual([]);
    onePull(harness, "closed");
  });

  it("files that came another way end it: the first result closes the pull request", async () => {
    const { harness, github, offered, passing, body } = await begun();
    github.setSecret(FRESH, "ANTHROPIC_API_KEY", harness.sandbox.modelAccess.api_key);
    github.setVariable(FRESH, "ANTHROPIC_BASE_URL", harness.sandbox.model.url);
    github.install(FRESH);
    await offered();
    github.pushCommit(FRESH, "main", { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    await passing("the file to be ticked", () => body().includes("[x] Add `.github"));
    const issue = github.openIssue(FRESH, { title: "Hello", body: "", by: ADA });
    github.comment(FRESH, issue, { body: "/job create HELLO.md that says hello", by: ADA });
    await passing("the end", () => github.pulls(FRESH).find(({ head }) => head === BRANCH)?.state === "closed");
    expect(body()).toContain("This repository is set up.");
    expect(body()).not.toContain("[ ]");
  });

  it("a deleted branch is a no, and a pull request that is opened again a yes", async () => {
    const { harness, github, phase, passing, offered } = await begun();
    github.install(FRESH);
    await offered();
    github.closePullRequest(FRESH, github.pulls(FRESH)[0]?.number ?? 0, ADA);
    await passing("the no", async () => (await phase()) === "declined");
    github.reopenPullRequest(FRESH, github.pulls(FRESH)[0]?.number ?? 0, ADA);
    await offered();
    github.deleteBranch(FRESH, BRANCH, ADA);
    await passing("the second no", async () => (await phase()) === "declined");
    onePull(harness, "closed");
  });

  it("a default branch with another name, and a new installation, keep the one pull request", async () => {
    const { harness, github, phase, passing, offered, body } = await begun();
    const installation = github.install(FRESH);
    await offered();
    github.renameDefaultBranch(FRESH, "trunk");
    github.pushCommit(FRESH, BRANCH, { [WORKFLOW]: RUN_JOB_WORKFLOW }, ADA);
    await passing("the workflow to be ticked", () => body().includes("[x] Add `.github"));
    github.uninstall(installation);
    await passing("the repository to be forgotten", async () => (await phase()) === undefined);
    github.install(FRESH);
    await offered();
    onePull(harness);
    github.closePullRequest(FRESH, github.pulls(FRESH)[0]?.number ?? 0, ADA);
    await passing("the no", async () => (await phase()) === "declined");
    const again = github.install([FRESH]);
    github.uninstall(again);
    await passing("the repository to be forgotten", async () => (await phase()) === undefined);
    github.install(FRESH);
    await passing("the no to be found", async () => (await phase()) === "declined");
    onePull(harness, "closed");
  });
});
