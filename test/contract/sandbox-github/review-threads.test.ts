/** Review threads of the local GitHub by GraphQL, with what GitHub refuses. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { client, graphql, installationToken, REPO, type World, world } from "./kit.ts";

const READ = `query($ids: [ID!]!) {
  nodes(ids: $ids) { ... on PullRequestReview { author { ... on User { id } } state comments(first: 9) { nodes {
    fullDatabaseId path line startLine originalLine outdated diffHunk replyTo { fullDatabaseId } viewerDidAuthor
  } } } }
  repository(owner: "octo", name: "demo") { pullRequest(number: 1) { id author { ... on User { id } }
    reviewRequests(first: 9) { nodes { requestedReviewer { ... on User { login } } } }
    reviewThreads(last: 9) { nodes { id isResolved isOutdated line originalLine diffSide viewerCanReply viewerCanResolve
      comments(first: 9) { nodes { fullDatabaseId body } } } }
  } }
}`;
const REPLY = `mutation($thread: ID!, $body: String!) {
  reply: addPullRequestReviewThreadReply(input: { pullRequestReviewThreadId: $thread, body: $body }) { clientMutationId }
}`;
const RESOLVE = "mutation($thread: ID!) { resolveReviewThread(input: { threadId: $thread }) { clientMutationId } }";
const ASK = `mutation($pull: ID!, $users: [ID!]!) {
  requestReviews(input: { pullRequestId: $pull, userIds: $users, union: true }) { clientMutationId }
}`;
const BOTH = `mutation($gone: ID!, $thread: ID!, $body: String!) {
  first: addPullRequestReviewThreadReply(input: { pullRequestReviewThreadId: $gone, body: $body }) { clientMutationId }
  second: addPullRequestReviewThreadReply(input: { pullRequestReviewThreadId: $thread, body: $body }) { clientMutationId }
}`;

const id = z.object({ id: z.string() });
const answered = z.object({
  nodes: z.array(z.object({ author: id })),
  repository: z.object({ pullRequest: id.extend({ author: id }) }),
});

describe("review threads", () => {
  let w: World;
  let review: { readonly id: number; readonly comments: readonly number[] };

  beforeAll(async () => {
    w = await world({ files: { "a.txt": "one\n" } });
    w.github.pushCommit(REPO, "job/x", { "b.txt": "one\ntwo\nthree\n" }, "writer");
    w.github.openPullRequest(REPO, { title: "b", head: "job/x", by: "octo" });
    review = await w.github.reviewLines(REPO, 1, {
      ...{ state: "CHANGES_REQUESTED", body: "No.", by: "writer" },
      comments: [
        { path: "b.txt", line: 2, body: "Why?" },
        { path: "b.txt", start_line: 1, line: 3, body: "All of it." },
      ],
    });
  });
  afterAll(() => w.close());

  const read = async () => graphql(w.call, READ, { ids: [`PRR_${review.id}`] });
  const people = async () => {
    const { nodes, repository } = answered.parse((await read()).data);
    const { id: pull, author } = repository.pullRequest;
    return { pull, author: author.id, reviewer: nodes[0]?.author.id ?? "" };
  };
  const thread = (n: number) => `PRRT_${review.comments[n]}`;

  it("are read with their lines, and tell where those are after a push", async () => {
    expect((await read()).data).toMatchObject({
      nodes: [
        {
          state: "CHANGES_REQUESTED",
          comments: {
            nodes: [
              { line: 2, outdated: false },
              { startLine: 1, line: 3 },
            ],
          },
        },
      ],
    });
    w.github.pushCommit(REPO, "job/x", { "b.txt": "zero\none\nzwei\nthree\n" }, "writer");
    const { data } = await read();
    expect(data).toMatchObject({
      nodes: [
        {
          comments: {
            nodes: [
              { line: null, originalLine: 2, outdated: true, replyTo: null },
              { startLine: 2, line: 4 },
            ],
          },
        },
      ],
      repository: { pullRequest: { reviewThreads: { nodes: [{ isOutdated: true, line: null }, { line: 4 }] } } },
    });
  });

  it("take a reply, are resolved, and a reviewer is asked again", async () => {
    expect((await graphql(w.call, REPLY, { thread: thread(0), body: "So." })).errors).toBeUndefined();
    expect((await graphql(w.call, RESOLVE, { thread: thread(0) })).errors).toBeUndefined();
    const { pull, reviewer } = await people();
    expect((await graphql(w.call, ASK, { pull, users: [reviewer] })).errors).toBeUndefined();
    expect((await read()).data).toMatchObject({
      repository: {
        pullRequest: {
          reviewRequests: { nodes: [{ requestedReviewer: { login: "writer" } }] },
          reviewThreads: {
            nodes: [{ isResolved: true, comments: { nodes: [{}, { body: "So." }] } }, { isResolved: false }],
          },
        },
      },
    });
  });

  it("need contents: write to be resolved, and the author of a pull request is not asked", async () => {
    const token = await installationToken(w.github, w.installation, {
      permissions: { pull_requests: "write", metadata: "read" },
    });
    const limited = client(w.github, `Bearer ${token}`);
    expect(await graphql(limited, RESOLVE, { thread: thread(1) })).toMatchObject({ errors: [{ type: "FORBIDDEN" }] });
    expect((await graphql(limited, REPLY, { thread: thread(1), body: "Yes." })).errors).toBeUndefined();
    const { pull, author } = await people();
    expect(await graphql(w.call, ASK, { pull, users: [author] })).toMatchObject({
      errors: [{ type: "UNPROCESSABLE" }],
    });
  });

  it("that are gone fail alone", async () => {
    const answer = await graphql(w.call, BOTH, { gone: "PRRT_999999", thread: thread(1), body: "Still." });
    expect(answer).toMatchObject({
      errors: [{ type: "NOT_FOUND", path: ["first"] }],
      data: { first: null, second: {} },
    });
    const nodes = await graphql(w.call, READ, { ids: ["PRR_999999", `PRR_${review.id}`] });
    expect(nodes).toMatchObject({
      errors: [{ type: "NOT_FOUND" }],
      data: { nodes: [null, { state: "CHANGES_REQUESTED" }] },
    });
  });

  it("are closed to programs where the conversation is locked", async () => {
    w.github.lock(REPO, 1);
    expect(await graphql(w.call, REPLY, { thread: thread(1), body: "?" })).toMatchObject({
      errors: [{ type: "FORBIDDEN" }],
    });
    expect(JSON.stringify((await read()).data)).toContain('"viewerCanReply":false');
  });
});
