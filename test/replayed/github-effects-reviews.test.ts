/** What GitHub answers where the reviews of a round are read and answered. */
import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GitHubEffect } from "../../src/domain/job/effect.ts";
import type { Job } from "../../src/domain/job/job.ts";
import type { Attempt, Performer } from "../../src/engine/ports/performer.ts";
import { createPerformer } from "../../src/github/effects/perform.ts";
import { appKey } from "../contract/app-key.ts";
import { LLM, memoryRepositories, sourceOf } from "../contract/github-effects-harness.ts";
import { begin, led, TO_PULL_REQUEST } from "../unit/job-fixtures.ts";

const API = "https://api.github.test";
const OPENED: Job = led(begin(), ...TO_PULL_REQUEST);
const TOKEN = {
  token: "ghs_4242_test",
  expires_at: "2999-01-01T00:00:00Z",
  permissions: {},
  repository_selection: "all",
};

const MARKER = (comment: number) => `<!-- journeyman:reply:${OPENED.id}:2:${comment} -->`;

const thread = (first: number, change: object = {}) => ({
  ...{ id: `PRRT_${first}`, isResolved: false, viewerCanReply: true, viewerCanResolve: true },
  ...{ first: { nodes: [{ fullDatabaseId: String(first) }] }, latest: { nodes: [] } },
  ...change,
});

/** Comment ids are larger than a GraphQL `Int` by now. */
const FIRST = 3_000_000_001;

const found = (threads: object[], review: object | null = {}, pull: object = {}) => ({
  repository: {
    pullRequest: {
      ...{ id: "PR_1", state: "OPEN", reviewRequests: { nodes: [] }, reviewThreads: { nodes: threads } },
      ...pull,
    },
  },
  nodes: [
    review === null
      ? null
      : {
          ...{ state: "CHANGES_REQUESTED", author: { id: "U_ada" } },
          comments: {
            nodes: [FIRST, FIRST + 1].map((id) => ({ fullDatabaseId: String(id), replyTo: null })),
          },
          ...review,
        },
  ],
});

describe("answers to a round's reviews", () => {
  let performer: Performer;
  const api = () => nock(API);
  const effect = (change: object = {}): GitHubEffect => ({
    ...{ type: "answer-reviews", round: 2, attempt: 1, reviews: ["PRR_1"] },
    replies: [
      { id: FIRST, body: "Done for @ada.", done: true },
      { id: FIRST + 1, body: "Not yet.", done: false },
      { id: 7, body: "Nobody asked.", done: true },
    ],
    ...change,
  });
  const resolution = (change: object = {}): GitHubEffect => ({
    ...{ type: "resolve-threads", round: 2, reviews: ["PRR_1"], done: [FIRST, 7], asks: true },
    ...change,
  });
  const perform = (of: GitHubEffect = effect()): Promise<Attempt> => performer.perform(of, OPENED, false);

  beforeAll(() => nock.disableNetConnect());
  afterAll(() => {
    nock.cleanAll();
    nock.restore();
  });
  beforeEach(() => {
    nock.cleanAll();
    api().post("/app/installations/1/access_tokens").reply(201, TOKEN);
    performer = createPerformer({
      source: sourceOf({ appId: 4242, privateKey: appKey, apiUrl: API }),
      repositories: memoryRepositories(),
      self: async () => ({ slug: "journeyman", appId: 4242 }),
      llm: LLM,
    });
  });
  afterEach(() => expect(nock.pendingMocks()).toEqual([]));

  const reads = (data: object, errors?: object[]) =>
    api()
      .post("/graphql", (body: { query: string }) => body.query.includes("query ReviewThreads"))
      .reply(200, { data, ...(errors ? { errors } : {}) });

  let written: { query: string; variables: Record<string, unknown> } | null = null;
  const writes = (answer: object = { data: {} }, status = 200) =>
    api()
      .post("/graphql", (body: { query: string; variables: Record<string, unknown> }) => {
        written = body;
        return body.query.includes("mutation AnswerReviews");
      })
      .reply(status, answer);

  it("are one request, for comments of these reviews alone, and mention nobody", async () => {
    reads(found([thread(FIRST), thread(FIRST + 1), thread(7)]));
    writes();
    expect(await perform()).toEqual({ ended: "done" });
    expect(written?.query.match(/\(input:/g)).toHaveLength(2);
    expect(written?.variables).toEqual({
      thread0: `PRRT_${FIRST}`,
      body0: `Done for @\u200bada.\n\n${MARKER(FIRST)}`,
      thread1: `PRRT_${FIRST + 1}`,
      body1: `Not yet.\n\n${MARKER(FIRST + 1)}`,
    });
  });

  it("are resolved where they are done, and the reviewer is asked again, in one request once the work has passed", async () => {
    reads(found([thread(FIRST), thread(FIRST + 1), thread(7)]));
    writes();
    expect(await perform(resolution())).toEqual({ ended: "done" });
    expect(written?.query.match(/\(input:/g)).toHaveLength(2);
    expect(written?.variables).toEqual({ thread0: `PRRT_${FIRST}`, pull: "PR_1", users: ["U_ada"] });
  });

  it("are resolved once, and nobody is asked twice", async () => {
    const asked = { reviewRequests: { nodes: [{ requestedReviewer: { id: "U_ada" } }, { requestedReviewer: null }] } };
    reads(found([thread(FIRST, { isResolved: true })], {}, asked));
    expect(await perform(resolution())).toEqual({ ended: "done" });
  });

  it("leave out what an earlier attempt has done, but not what somebody else has copied", async () => {
    const said = (viewerDidAuthor: boolean, first: number) => ({
      latest: { nodes: [{ body: MARKER(first), viewerDidAuthor }] },
    });
    reads(found([thread(FIRST, said(true, FIRST)), thread(FIRST + 1, said(false, FIRST + 1))]));
    writes();
    await perform();
    expect(written?.variables).toMatchObject({ thread1: `PRRT_${FIRST + 1}` });
    expect(Object.keys(written?.variables ?? {})).toEqual(["thread1", "body1"]);
  });

  it.each<[string, object]>([
    [
      "every thread is closed to us",
      found([thread(FIRST, { viewerCanReply: false, viewerCanResolve: false })], { author: null }),
    ],
    ["the reviewer is gone and so are the threads", found([], { author: null })],
    ["the review was dismissed, and its threads are gone", found([], { state: "DISMISSED" })],
    ["a program has written it", found([], { author: {} })],
    ["the pull request is closed", found([], {}, { state: "CLOSED" })],
    ["the pull request is gone", { repository: { pullRequest: null }, nodes: [null] }],
  ])("write nothing where %s", async (_, data) => {
    reads(data);
    expect(await perform()).toEqual({ ended: "done" });
    reads(data);
    expect(await perform(resolution())).toEqual({ ended: "done" });
  });

  it("ask nobody where the agent itself asks", async () => {
    reads(found([thread(FIRST)]));
    writes();
    await perform(resolution({ asks: false }));
    expect(written?.query).not.toContain("requestReviews");
  });

  it("go on without what GitHub refuses: a thread that is gone, a right that is missing", async () => {
    reads(found([thread(FIRST)], null), [{ type: "NOT_FOUND", path: ["nodes", 0], message: "Could not resolve" }]);
    expect(await perform()).toEqual({ ended: "done" });
    reads(found([thread(FIRST)]));
    writes({
      data: { resolve0: null },
      errors: [{ type: "FORBIDDEN", message: "Resource not accessible by integration" }],
    });
    expect(await perform()).toEqual({ ended: "done" });
  });

  it("come later when GitHub asks us to slow down", async () => {
    reads(found([thread(FIRST)]));
    writes({ message: "You have exceeded a secondary rate limit." }, 403);
    expect(await perform()).toMatchObject({ ended: "later" });
  });
});
