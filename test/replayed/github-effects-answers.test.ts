import nock from "nock";
import pino from "pino";
import { Probot } from "probot";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { GitHubEffect } from "../../src/domain/job/effect.ts";
import { actionsWork, type Job } from "../../src/domain/job/job.ts";
import type { Attempt, Performer } from "../../src/engine/ports/performer.ts";
import { createOctokits } from "../../src/github/client/octokit.ts";
import { createPerformer } from "../../src/github/effects/perform.ts";
import { appKey } from "../contract/app-key.ts";
import { command, LLM, memoryRepositories, sourceOf } from "../contract/github-effects-harness.ts";
import { ADA, begin, briefPushed, led, TO_PULL_REQUEST } from "../unit/job-fixtures.ts";

const API = "https://api.github.test";
const AT = "/repos/octo/demo";
const OPENED: Job = led(begin(), ...TO_PULL_REQUEST);
const SHA = "finish";

const TOKEN = {
  token: "ghs_4242_test",
  expires_at: "2999-01-01T00:00:00Z",
  permissions: {},
  repository_selection: "all",
};

/** Octokit waits so long at most before it makes a call again with a token that is new. */
const LONGEST_RETRY_MS = 5_000;

/** What Octokit waits for is over at once, and its clock goes on by it. */
async function withoutWaiting<T>(work: () => Promise<T>): Promise<T> {
  const later = globalThis.setTimeout;
  vi.useFakeTimers({ toFake: ["Date"] });
  const spy = vi.spyOn(globalThis, "setTimeout").mockImplementation((callback, ms = 0) => {
    if (ms > LONGEST_RETRY_MS) return later(callback, ms);
    vi.setSystemTime(Date.now() + ms);
    return later(callback, 0);
  });
  try {
    return await work();
  } finally {
    spy.mockRestore();
    vi.useRealTimers();
  }
}

describe("single answers of GitHub", () => {
  let performer: Performer;
  let waits: number[];
  const api = () => nock(API);
  const perform = (effect: GitHubEffect, job: Job = OPENED, again = false): Promise<Attempt> =>
    performer.perform(effect, job, again);

  beforeAll(() => nock.disableNetConnect());
  afterAll(() => {
    nock.cleanAll();
    nock.restore();
  });
  beforeEach(() => {
    nock.cleanAll();
    waits = [];
    api().post("/app/installations/1/access_tokens").reply(201, TOKEN);
    performer = createPerformer({
      source: sourceOf({ appId: 4242, privateKey: appKey, apiUrl: API }),
      repositories: memoryRepositories(),
      self: async () => ({ slug: "journeyman", appId: 4242 }),
      llm: LLM,
      wait: async (ms) => void waits.push(ms),
    });
  });
  afterEach(() => {
    expect(nock.pendingMocks()).toEqual([]);
  });

  const graphql = (name: string, data: object) =>
    api()
      .post("/graphql", (body: { query: string }) => body.query.includes(name))
      .reply(200, data);

  const state = (pullRequest: object = {}, repository: object = {}) =>
    graphql("query PullRequestState", {
      data: {
        repository: {
          mergeCommitAllowed: true,
          squashMergeAllowed: true,
          rebaseMergeAllowed: false,
          ...repository,
          pullRequest: {
            id: "PR_1",
            state: "OPEN",
            isMergeQueueEnabled: false,
            isInMergeQueue: false,
            isDraft: false,
            headRefOid: SHA,
            mergedAt: null,
            mergedBy: null,
            autoMergeRequest: null,
            ...pullRequest,
          },
        },
      },
    });

  it("does not send a post again by itself when GitHub breaks down, and pins the version of the API", async () => {
    api()
      .post(`${AT}/issues/7/comments`)
      .matchHeader("x-github-api-version", "2022-11-28")
      .reply(502, { message: "Server Error" });
    expect(await perform({ type: "sync-comment" })).toEqual({ ended: "later", reason: "GitHub did not answer." });
  });

  it("keeps away as long as GitHub asks: the effect comes later, and nothing else is sent meanwhile", async () => {
    api()
      .post(`${AT}/issues/7/comments`)
      .reply(403, { message: "You have exceeded a secondary rate limit." }, { "retry-after": "30" });
    const first = await perform({ type: "sync-comment" });
    expect(first).toMatchObject({ ended: "later", after_ms: 30_000 });
    const second = await perform({ type: "close-pull-request" });
    expect(second).toMatchObject({ ended: "later", after_ms: expect.closeTo(30_000, -4) });
  });

  it("posts a deleted comment anew, once, and lets a locked issue be", async () => {
    const known = { ...OPENED, comment: { id: 5 } };
    api().patch(`${AT}/issues/comments/5`).reply(404, { message: "Not Found" });
    api().post(`${AT}/issues/7/comments`).reply(201, { id: 6 });
    expect(command(await perform({ type: "sync-comment" }, known))).toEqual({ type: "comment-synced", comment_id: 6 });
    api().post(`${AT}/issues/7/comments`).reply(403, { message: "Unable to create comment because issue is locked." });
    expect(await perform({ type: "sync-comment" })).toEqual({ ended: "done" });
  });

  it("mentions nobody on a locked issue, and comes later where GitHub breaks down", async () => {
    const asking = {
      ...OPENED,
      status: "failed",
      failure: "It broke.",
      mention: { round: 1, why: "failed", comment_id: null },
    } as const;
    const mention = { type: "mention-requester", round: 1 } as const;
    api().post(`${AT}/issues/7/comments`).reply(403, { message: "Unable to create comment because issue is locked." });
    expect(await perform(mention, asking)).toEqual({ ended: "done" });
    api().post(`${AT}/issues/7/comments`).reply(502, { message: "Server Error" });
    expect(await perform(mention, asking)).toEqual({ ended: "later", reason: "GitHub did not answer." });
  });

  it("says nothing where there is neither issue nor pull request", async () => {
    const cron = { ...OPENED, origin: { kind: "schedule", name: "nightly", due_at: 0 }, pull_request: null } as const;
    nock.removeInterceptor({
      host: "api.github.test",
      path: "/app/installations/1/access_tokens",
      method: "POST",
      proto: "https",
    });
    expect(await perform({ type: "sync-comment" }, cron)).toEqual({ ended: "done" });
  });

  it("counts a run that is over, and a branch or comment that is gone, as done", async () => {
    api()
      .post(`${AT}/actions/runs/500/cancel`)
      .reply(409, { message: "Cannot cancel a workflow run that is completed." });
    expect(await perform({ type: "cancel-run", run_id: 500 })).toEqual({ ended: "done" });
    api().delete(`${AT}/git/refs/heads%2Fjob%2Fabcd1234`).reply(422, { message: "Reference does not exist" });
    expect(await perform({ type: "delete-branch" })).toEqual({ ended: "done" });
    api().post(`${AT}/issues/comments/70/reactions`).reply(404, { message: "Not Found" });
    expect(await perform({ type: "react", comment_id: 70, content: "eyes" })).toEqual({ ended: "done" });
  });

  describe("to a merge", () => {
    const merge = { type: "merge", sha: SHA, method: "squash" } as const;
    const refuse = (status: number, message: string) => api().put(`${AT}/pulls/8/merge`).reply(status, { message });

    it.each([
      [405, "Base branch was modified. Review and try the merge again.", false],
      [405, "At least 1 approving review is required by reviewers with write access.", false],
      [405, "Changes must be made through the merge queue", true],
      [405, "Pull Request is not mergeable", false],
      [409, "Head branch was modified. Review and try the merge again.", false],
    ])("%d “%s” is told in our own words", async (status, message, final) => {
      refuse(status, message);
      state();
      const report = command(await perform(merge));
      expect(report).toMatchObject({ type: "merge-refused", sha: SHA, final });
      expect(JSON.stringify(report)).not.toContain(message);
    });

    it("takes a method that the repository allows when it forbids the one in the settings", async () => {
      refuse(405, "Squash merges are not allowed on this repository.");
      state({}, { squashMergeAllowed: false });
      api().put(`${AT}/pulls/8/merge`, { sha: SHA, merge_method: "merge" }).reply(200, { merged: true, sha: "m" });
      expect(command(await perform(merge))).toMatchObject({ type: "merged", pull_request: 8, by: "journeyman[bot]" });
    });

    it("finds out that somebody was faster, and that the App may not", async () => {
      refuse(405, "Pull Request is not mergeable");
      state({ state: "MERGED", mergedAt: "2026-01-01T00:00:00Z", mergedBy: { login: "ada" } });
      const at = Date.parse("2026-01-01T00:00:00Z");
      expect(command(await perform(merge))).toEqual({ type: "merged", pull_request: 8, by: "ada", at });
      refuse(403, "Resource not accessible by integration");
      expect(command(await perform(merge))).toMatchObject({ type: "merge-refused", final: true });
    });

    it("is never sent twice when GitHub breaks down", async () => {
      refuse(500, "Server Error");
      expect(await perform(merge)).toMatchObject({ ended: "later" });
    });
  });

  describe("to an update of the branch", () => {
    const refused = (sentence: unknown) => ({ type: "update-refused", sha: SHA, sentence });
    const asked = (status: number, message: string) =>
      api().put(`${AT}/pulls/8/update-branch`, { expected_head_sha: SHA }).reply(status, { message });
    const WORKFLOW =
      "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission";

    it.each([
      [422, "expected head sha didn’t match current head ref.", null],
      [422, "merge conflict between base and head", null],
      [422, "There are no new commits on the base branch.", null],
      [404, "Not Found", null],
      [422, WORKFLOW, expect.stringMatching(/changed workflow files.*press “Update branch”$/)],
      [403, WORKFLOW, expect.stringMatching(/changed workflow files.*press “Update branch”$/)],
      [403, "Resource not accessible by integration", expect.stringMatching(/press “Update branch”$/)],
      [422, "Something else", expect.stringMatching(/press “Update branch”$/)],
    ])("%i: %s", async (status, words, sentence) => {
      asked(status, words);
      expect(command(await perform({ type: "update-branch", sha: SHA }))).toEqual(refused(sentence));
    });

    it("that says it is under way reports nothing, since an event tells the new head", async () => {
      asked(202, "Updating pull request branch.");
      expect(await perform({ type: "update-branch", sha: SHA })).toEqual({ ended: "done" });
    });
  });

  describe("to auto-merge", () => {
    const enable = { type: "enable-auto-merge", sha: SHA, method: "squash" } as const;
    it.each([
      ["Pull request Pull request is in clean status", false],
      ["Pull request Pull request is in unstable status", false],
      ["Protected branch rules not configured for this branch", false],
      ["Auto merge is not allowed for this repository", true],
      ["Head sha is out of date", false],
    ])("“%s” is told apart", async (message, final) => {
      state();
      graphql("mutation EnableAutoMerge", { data: null, errors: [{ type: "UNPROCESSABLE", message }] });
      const report = command(await perform(enable));
      expect(report).toMatchObject({ type: "merge-refused", final });
      expect(JSON.stringify(report)).not.toContain(message);
    });

    it("is not asked for again when it is on already", async () => {
      state({ autoMergeRequest: { enabledAt: "2026-01-01T00:00:00Z" } });
      expect(command(await perform(enable, OPENED, true))).toEqual({ type: "auto-merge-enabled", sha: SHA });
    });
  });

  describe("to a reading of facts", () => {
    const facts = (pull: object = {}, settings: object | null = null) =>
      graphql("query Facts", {
        data: {
          repository: {
            autoMergeAllowed: true,
            deleteBranchOnMerge: false,
            settings,
            head: null,
            pullRequest: {
              state: "OPEN",
              id: "PR_1",
              isMergeQueueEnabled: false,
              isInMergeQueue: false,
              isDraft: false,
              headRefOid: SHA,
              baseRefName: "main",
              mergeable: "MERGEABLE",
              mergeStateStatus: "CLEAN",
              reviewDecision: null,
              autoMergeRequest: null,
              files: {
                pageInfo: { hasNextPage: false, endCursor: "f" },
                nodes: [{ path: "A.md", changeType: "ADDED" }],
              },
              statusCheckRollup: null,
              ...pull,
            },
          },
        },
      });

    const contexts = (from: number, count: number, more: boolean) => ({
      statusCheckRollup: {
        contexts: {
          pageInfo: { hasNextPage: more, endCursor: String(from + count) },
          nodes: Array.from({ length: count }, (_, n) => ({
            __typename: "StatusContext",
            context: `c${from + n}`,
            state: "SUCCESS",
            isRequired: false,
          })),
        },
      },
    });

    const read = async (runs: readonly number[] = []) => {
      const report = command(await perform({ type: "read-facts", runs }));
      if (report.type !== "observe") throw new Error(`expected facts, got ${report.type}`);
      return report.facts;
    };

    it("asks for the pull request once and again for the facts while GitHub computes, and then tells what it knows", async () => {
      facts({ mergeable: "UNKNOWN", mergeStateStatus: "UNKNOWN" });
      api().get(`${AT}/pulls/8`).reply(200, { number: 8, mergeable: null });
      facts({ mergeable: "UNKNOWN", mergeStateStatus: "UNKNOWN" });
      expect(await read()).toMatchObject({ mergeable: "unknown", merge_state: "UNKNOWN" });
      expect(waits).toHaveLength(1);
    });

    it("does not ask again while checks are under way", async () => {
      const pending = contexts(0, 1, false);
      Object.assign(pending.statusCheckRollup.contexts.nodes[0] ?? {}, { state: "PENDING" });
      facts({ mergeable: "UNKNOWN", ...pending });
      expect(await read()).toMatchObject({ mergeable: "unknown", checks: [{ state: "pending" }] });
    });

    it("reads three hundred checks, and says so when there are more", async () => {
      for (const from of [0, 100, 200]) facts(contexts(from, 100, true));
      const seen = await read();
      expect(seen.checks).toHaveLength(300);
      expect(seen.checks_complete).toBe(false);
    });

    it("tells runs that are not complete, and settings that are broken", async () => {
      for (const [id, status] of [
        [1, "in_progress"],
        [2, "completed"],
      ])
        api().get(`${AT}/actions/runs/${id}`).reply(200, { id, status });
      api().get(`${AT}/actions/runs/3`).reply(404, { message: "Not Found" });
      facts({}, { text: "automerge: 1\n", isTruncated: false });
      const seen = await read([1, 2, 3]);
      expect(seen.open_runs).toEqual([1]);
      expect(seen.settings_problem).toContain("`automerge`");
      expect(seen.settings).toEqual(OPENED.settings);
    });
  });

  it("opens the pull request without draft where drafts are not to be had, and takes the one that is there", async () => {
    const job: Job = { ...OPENED, pull_request: null, choices: { ...OPENED.choices, draft: true } };
    const clean = () =>
      graphql("mutation Clean", {
        data: { createCommitOnBranch: { commit: { oid: "c", tree: { oid: "7e3", entries: [] } } } },
      });
    const effect = { type: "open-pull-request", round: 1 } as const;
    clean();
    api().post(`${AT}/pulls`).reply(422, { message: "Draft pull requests are not supported in this repository." });
    api()
      .post(`${AT}/pulls`, (body: { draft: boolean }) => !body.draft)
      .reply(201, { number: 9, html_url: "https://x/pull/9" });
    expect(command(await perform(effect, job))).toMatchObject({ number: 9, head_sha: "c" });
    clean();
    const message = "Validation Failed";
    const errors = [{ message: "A pull request already exists for octo:job/abcd1234." }];
    api().post(`${AT}/pulls`).reply(422, { message, errors });
    api()
      .get(`${AT}/pulls`)
      .query(true)
      .reply(200, [{ number: 9, html_url: "https://x/pull/9" }]);
    expect(command(await perform(effect, job))).toMatchObject({ number: 9 });
  });

  it("says of a pull request that its base branch was deleted, and what to do", async () => {
    graphql("mutation Clean", {
      data: { createCommitOnBranch: { commit: { oid: "c", tree: { oid: "7e3", entries: [] } } } },
    });
    const errors = [{ resource: "PullRequest", field: "base", code: "invalid" }];
    api().post(`${AT}/pulls`).reply(422, { message: "Validation Failed", errors });
    const job: Job = { ...OPENED, pull_request: null, base: { ...OPENED.base, is_default: false } };
    const answer = await perform({ type: "open-pull-request", round: 1 }, job);
    expect(answer).toMatchObject({
      ended: "later",
      reason: expect.stringMatching(/^The base branch main was deleted/),
    });
  });

  it("puts another token in place of one that GitHub takes for none, and makes the call again", async () => {
    const react = (token: string) =>
      nock(API, { reqheaders: { authorization: `token ${token}` } }).post(`${AT}/issues/comments/70/reactions`);
    const effect = { type: "react", comment_id: 70, content: "eyes" } as const;
    react(TOKEN.token).reply(200, {});
    await perform(effect);
    react(TOKEN.token).times(9).reply(401, { message: "Bad credentials" });
    api()
      .post("/app/installations/1/access_tokens")
      .reply(201, { ...TOKEN, token: "ghs_new" });
    react("ghs_new").times(2).reply(200, {});
    expect(await withoutWaiting(() => perform(effect))).toEqual({ ended: "done" });
    expect(await withoutWaiting(() => perform(effect))).toEqual({ ended: "done" });
    nock.cleanAll();
  });

  it("asks for one new token when a call is refused whatever the token, and tells a wrong clock from wrong credentials", async () => {
    const effect = { type: "cancel-run", run_id: 5 } as const;
    const date = (ahead_ms: number) => new Date(Date.now() - ahead_ms).toUTCString();
    const refuse = (ahead_ms: number) =>
      api()
        .post(`${AT}/actions/runs/5/cancel`)
        .times(20)
        .reply(401, { message: "Bad credentials" }, { date: date(ahead_ms) });
    refuse(0);
    api().post("/app/installations/1/access_tokens").reply(401, { message: "Bad credentials" });
    expect(await withoutWaiting(() => perform(effect))).toEqual({
      ended: "later",
      reason: "GitHub rejected the App's credentials.",
    });
    nock.cleanAll();
    // what another time does not mend is still told as what GitHub says that it is
    const claim = "'Expiration time' claim ('exp') is too far in the future";
    refuse(180_000);
    api()
      .post("/app/installations/1/access_tokens")
      .times(3)
      .reply(401, { message: claim }, { date: date(180_000) });
    expect(await withoutWaiting(() => perform(effect))).toMatchObject({
      reason: expect.stringMatching(/clock is 3 minutes ahead of GitHub's/),
    });
    nock.cleanAll();
  });

  it("does not believe that nothing was pushed where files are known to have changed", async () => {
    const handed_in = { run_id: 5, attempt: 1, clean_sha: "c" };
    const work = actionsWork(OPENED);
    if (work === null) throw new Error("the job is on the market");
    const done = { ...OPENED, pull_request: null, head_sha: "c", work: { ...work, handed_in } };
    const effect = { type: "open-pull-request", round: 1 } as const;
    const none = { message: "Validation Failed", errors: [{ message: "No commits between main and job/abcd1234" }] };
    const refuse = () => api().post(`${AT}/pulls`).reply(422, none);
    const compare = (ahead_by: number, files: object[]) =>
      api().get(`${AT}/compare/main...job%2Fabcd1234`).query(true).reply(200, { ahead_by, files });
    refuse();
    expect(await perform(effect, done)).toMatchObject({ ended: "later", after_ms: 5_000 });
    const again = (ahead_by: number, files: object[]) => {
      api().get(`${AT}/pulls`).query(true).reply(200, []);
      refuse();
      compare(ahead_by, files);
      return perform(effect, done, true);
    };
    expect(await again(1, [{ filename: "HELLO.md" }])).toMatchObject({ ended: "later" });
    expect(command(await again(1, []))).toEqual({ type: "nothing-to-open", round: 1 });
  });

  it("reads a run by its id, and finds the one of the brief among those of the branch", async () => {
    const one = (id: number, message: string) => ({
      id,
      run_attempt: 2,
      html_url: `https://x/runs/${id}`,
      status: "completed",
      conclusion: "success",
      head_sha: "brief",
      path: ".github/workflows/run-job.yml",
      head_commit: { message },
    });
    api().get(`${AT}/actions/runs/5`).reply(200, one(5, "Run job abcd1234: x"));
    const told = { type: "run-changed", head_sha: "brief", run: { id: 5, attempt: 2, status: "completed" } };
    expect(command(await perform({ type: "read-run", run_id: 5 }))).toMatchObject(told);
    api()
      .get(`${AT}/actions/runs`)
      .query(true)
      .reply(200, { workflow_runs: [one(6, "Work"), one(5, "Run job abcd1234: x")] });
    expect(command(await perform({ type: "read-run", run_id: null }))).toMatchObject(told);
  });

  it("asks whether a run ever began only where a budget holds a cancelled job's part for it", async () => {
    const reserved = { budgeted: true, cents: 300, at: 1 };
    const cancelled = led({ ...begin(), reserved }, briefPushed(), { type: "cancel", by: ADA });
    const run = (more: object = {}) => ({
      ...{ id: 5, run_attempt: 1, html_url: "https://x/runs/5", status: "completed", conclusion: "cancelled" },
      ...{ head_sha: "brief", path: ".github/workflows/run-job.yml", head_commit: { message: "Run job abcd1234: x" } },
      ...more,
    });
    const read = async (job: Job, answer: object, jobs?: readonly object[], status = 200) => {
      api().get(`${AT}/actions/runs/5`).reply(200, answer);
      if (jobs !== undefined)
        api().get(`${AT}/actions/runs/5/jobs`).query(true).reply(status, { total_count: jobs.length, jobs });
      const told = command(await perform({ type: "read-run", run_id: 5 }, job));
      return told.type === "run-changed" && told.never_began === true;
    };
    const waited = { runner_id: 0, runner_name: "", steps: [] };
    expect(await read(cancelled, run(), [waited])).toBe(true);
    expect(await read(cancelled, run(), [])).toBe(true);
    expect(await read(cancelled, run(), [{ ...waited, runner_id: 7 }])).toBe(false);
    expect(await read(cancelled, run(), [waited, { ...waited, steps: [{ name: "Set up job" }] }])).toBe(false);
    expect(await read(cancelled, run(), [], 404)).toBe(false);
    // and otherwise nothing is asked
    expect(await read(cancelled, run({ conclusion: "timed_out" }))).toBe(false);
    expect(await read(cancelled, run({ run_attempt: 2 }))).toBe(false);
    expect(await read({ ...cancelled, reserved: { ...reserved, budgeted: false } }, run())).toBe(false);
  });
});

it("builds one client per installation, for Probot's events too", async () => {
  const octokits = createOctokits();
  const secret = "s";
  const log = pino({ level: "silent" });
  const probot = new Probot({ appId: 1, privateKey: appKey, secret, log, Octokit: octokits.Octokit });
  const seen = new Set<unknown>();
  probot.on("issue_comment.created", ({ octokit }) => void seen.add(octokit));
  const receive = (id: string, installation: number) =>
    probot.webhooks.receive({
      id,
      name: "issue_comment",
      // the transform looks at these two alone
      payload: JSON.parse(JSON.stringify({ action: "created", installation: { id: installation } })),
    });
  for (const [id, installation] of [
    ["a", 1],
    ["b", 1],
    ["c", 2],
  ] as const)
    await receive(id, installation);
  expect(seen.size).toBe(2);
  const source = octokits.source(probot);
  expect(await source.installation(1)).toBe(await source.installation(1));
  expect(seen.has(await source.installation(1))).toBe(false);
});
