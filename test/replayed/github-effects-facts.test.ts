/** How facts are read from GitHub's answers, where a wrong reading would merge what must not be merged. */
import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Facts } from "../../src/domain/job/facts.ts";
import { evaluate } from "../../src/domain/job/merge-verdict.ts";
import type { Performer } from "../../src/engine/ports/performer.ts";
import { createPerformer } from "../../src/github/effects/perform.ts";
import { appKey } from "../contract/app-key.ts";
import { command, LLM, memoryRepositories, sourceOf } from "../contract/github-effects-harness.ts";
import { begin, led, TO_PULL_REQUEST } from "../unit/job-fixtures.ts";

const API = "https://api.github.test";
const JOB = led(begin(), ...TO_PULL_REQUEST);
const SETTINGS = { text: "auto_merge:\n  enabled: true\n", isTruncated: false };

const suite = (change: object = {}, run: object | null = {}) => ({
  status: "COMPLETED",
  conclusion: "SUCCESS",
  checkRuns: { totalCount: 1 },
  workflowRun: run && {
    databaseId: 7,
    event: "pull_request",
    url: "https://github.test/octo/demo/actions/runs/7",
    workflow: { name: "CI" },
    file: { path: ".github/workflows/ci.yml" },
    ...run,
  },
  ...change,
});

const GREEN = {
  contexts: {
    pageInfo: { hasNextPage: false, endCursor: null },
    nodes: [{ __typename: "StatusContext", context: "lint", state: "SUCCESS", isRequired: false }],
  },
};

const NOTHING_SET = { settings: null, settings_problem: null };

describe("a reading of facts", () => {
  let performer: Performer;
  const api = () => nock(API);

  beforeAll(() => nock.disableNetConnect());
  afterAll(() => {
    nock.cleanAll();
    nock.restore();
  });
  beforeEach(() => {
    nock.cleanAll();
    api()
      .post("/app/installations/1/access_tokens")
      .reply(201, { token: "ghs_1_t", expires_at: "2999-01-01T00:00:00Z", permissions: {} });
    performer = createPerformer({
      source: sourceOf({ appId: 4242, privateKey: appKey, apiUrl: API }),
      repositories: memoryRepositories(),
      self: async () => ({ slug: "journeyman", appId: 4242 }),
      llm: LLM,
    });
  });
  afterEach(() => {
    expect(nock.pendingMocks()).toEqual([]);
  });

  const read = async (
    suites: readonly object[],
    files: readonly object[],
    more = false,
    rollup: object = GREEN,
  ): Promise<Facts> => {
    api()
      .post("/graphql", (body: { query: string }) => body.query.includes("query Facts"))
      .reply(200, {
        data: {
          repository: {
            autoMergeAllowed: true,
            deleteBranchOnMerge: false,
            settings: SETTINGS,
            head: { checkSuites: { pageInfo: { hasNextPage: more, endCursor: null }, nodes: suites } },
            pullRequest: {
              id: "PR_1",
              isMergeQueueEnabled: false,
              isInMergeQueue: false,
              state: "OPEN",
              isDraft: false,
              headRefOid: JOB.head_sha,
              baseRefName: "main",
              mergeable: "MERGEABLE",
              mergeStateStatus: "CLEAN",
              reviewDecision: null,
              autoMergeRequest: null,
              files: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: files },
              statusCheckRollup: rollup,
            },
          },
        },
      });
    const report = command(await performer.perform({ type: "read-facts", runs: [] }, JOB, false));
    if (report.type !== "observe") throw new Error(`expected facts, got ${report.type}`);
    return report.facts;
  };
  const ADDED = [{ path: "HELLO.md", changeType: "ADDED" }];
  const merges = (facts: Facts) => evaluate(facts, JOB, JOB.updated_at + 1_000).merge.how;

  it("is green when every workflow of the head has ended well", async () => {
    const facts = await read([suite(), suite({ status: "QUEUED", conclusion: null }, null)], ADDED);
    expect(facts).toMatchObject({ open_runs: [], complete_runs: [7], ci_begun: true });
    expect(merges(facts)).toBe("now");
  });

  it.each([
    ["waits for a runner and has no check yet", { status: "QUEUED", conclusion: null, checkRuns: { totalCount: 0 } }],
    ["ended before any of its jobs", { conclusion: "STARTUP_FAILURE", checkRuns: { totalCount: 0 } }],
    ["is held until a person approves it", { conclusion: "ACTION_REQUIRED", checkRuns: { totalCount: 0 } }],
  ])("is not green while a workflow that no webhook told of %s", async (_what, change) => {
    expect(merges(await read([suite(), suite(change, { databaseId: 8 })], ADDED))).toBe("none");
  });

  it("is not green where there are more workflows than were listed", async () => {
    expect(merges(await read([suite()], ADDED, true))).toBe("none");
  });

  /** A check that a run of the workflow CI has made. */
  const ofRun = (databaseId: number, event: string, conclusion: string, name = "test") => ({
    ...{ __typename: "CheckRun", name, status: "COMPLETED", conclusion, isRequired: false },
    checkSuite: {
      app: { databaseId: 15368, slug: "github-actions" },
      workflowRun: { databaseId, event, workflow: { name: "CI" }, file: { path: ".github/workflows/ci.yml" } },
    },
  });
  const rollup = (...nodes: readonly object[]) => ({
    contexts: { pageInfo: { hasNextPage: false, endCursor: null }, nodes },
  });
  const told = async (nodes: readonly object[], suites: readonly object[] = []) =>
    (await read([suite(), ...suites], ADDED, false, rollup(...nodes))).checks.map(
      ({ name, state }) => `${name} ${state}`,
    );

  it("takes a run that another one has cancelled for no failure, whatever began the two", async () => {
    const [push, pull] = [ofRun(7, "push", "CANCELLED"), ofRun(8, "pull_request", "SUCCESS")];
    expect(await told([push, pull])).toEqual(["test success"]);
    const unborn = suite({ conclusion: "CANCELLED", checkRuns: { totalCount: 0 } }, { databaseId: 6, event: "push" });
    expect(await told([pull], [unborn])).toEqual(["test success"]);
  });

  it("lets the newest run of one name, workflow and event count, and no other hide a failure", async () => {
    const old = ofRun(7, "pull_request", "FAILURE");
    expect(await told([old, ofRun(8, "pull_request", "SUCCESS")])).toEqual(["test success"]);
    expect(await told([ofRun(8, "pull_request", "FAILURE"), ofRun(7, "pull_request", "SUCCESS")])).toEqual([
      "test failure",
    ]);
    expect(await told([old, ofRun(8, "push", "SUCCESS")])).toEqual(["test failure", "test success"]);
    expect(await told([old, ofRun(8, "pull_request", "SUCCESS", "lint")])).toEqual(["test failure", "lint success"]);
  });

  it("waits where nobody decided", async () => {
    expect(await told([ofRun(7, "push", "SUCCESS"), ofRun(8, "pull_request", "CANCELLED")])).toEqual([
      "test success",
      "test cancelled",
    ]);
    const facts = await read([suite()], ADDED, false, rollup(ofRun(7, "push", "STALE")));
    expect(evaluate(facts, JOB, JOB.updated_at + 1_000).work).toMatchObject({
      verdict: "wait",
      because: [{ text: "test was cancelled before it was done; it is run again" }],
    });
  });

  it("waits for jobs that a cancelled run has never begun, and lets a later run of the workflow count in its place", async () => {
    const cut = suite({ conclusion: "CANCELLED" }, { databaseId: 8 });
    expect(await told([ofRun(8, "pull_request", "SUCCESS")], [cut])).toEqual(["test success", "CI cancelled"]);
    expect(await told([ofRun(8, "pull_request", "CANCELLED")], [cut])).toEqual(["test cancelled"]);
    expect(await told([ofRun(7, "pull_request", "FAILURE")], [cut])).toEqual(["CI cancelled"]);
    expect(await told([ofRun(9, "pull_request", "SUCCESS")], [cut])).toEqual(["test success"]);
  });

  it("leaves the workflow that runs our jobs out of it", async () => {
    const ours = suite({ status: "QUEUED", conclusion: null }, { file: { path: ".github/workflows/run-job.yml" } });
    expect(merges(await read([suite(), ours], ADDED))).toBe("now");
  });

  it("does not ask again and again for a branch that a rule of the repository forbids", async () => {
    const job = { ...begin(), undiscussed: true };
    const repositories = memoryRepositories();
    const base = { branch: "main", head_sha: "h", tree_sha: "t", has_workflow: true };
    await repositories.put({ owner: "octo", name: "demo", id: 1, installation_id: 1, base, ...NOTHING_SET });
    performer = createPerformer({
      source: sourceOf({ appId: 4242, privateKey: appKey, apiUrl: API }),
      repositories,
      self: async () => ({ slug: "journeyman", appId: 4242 }),
      llm: LLM,
    });
    api().post("/repos/octo/demo/git/trees").reply(201, { sha: "tree" });
    api().post("/repos/octo/demo/git/commits").reply(201, { sha: "commit" });
    api().post("/repos/octo/demo/git/refs").reply(422, {
      message: "Repository rule violations found\n\nCannot create ref due to creations being restricted.",
    });
    const report = command(await performer.perform({ type: "push-brief", round: 1, attempt: 1 }, job, false));
    expect(report).toMatchObject({ type: "brief-refused", sentence: expect.stringContaining("no rule forbids") });
  });

  it("names the place that a moved file has left, so that none leaves .github unseen", async () => {
    api()
      .get("/repos/octo/demo/pulls/8/files")
      .query({ per_page: 100, page: 1 })
      .reply(200, [{ filename: "old.txt", status: "renamed", previous_filename: ".github/CODEOWNERS" }]);
    const facts = await read([suite()], [{ path: "old.txt", changeType: "RENAMED" }]);
    expect(facts.changed_files).toEqual(["old.txt", ".github/CODEOWNERS"]);
    expect(evaluate(facts, JOB, JOB.updated_at).merge).toMatchObject({ never: true });
  });
});
