/** GraphQL objects and mutations of reviews, their comments and threads. */
import * as z from "zod";
import { authorize, causeOf, hasRole, mayWrite } from "./access.ts";
import { Refusal } from "./errors.ts";
import { connection } from "./graphql-connection.ts";
import type { GraphqlContext } from "./graphql-context.ts";
import { userObject } from "./graphql-issues.ts";
import { latestOpinions } from "./mergeability.ts";
import type { Repository, Review } from "./model.ts";
import {
  type CommentOfReview,
  lineIn,
  replyInThread,
  requestReviews,
  resolveThread,
  type Thread,
  threadsOf,
} from "./review-threads.ts";
import type { PullIssue } from "./state.ts";
import { iso } from "./world.ts";

const unresolved = (id: string): Refusal =>
  new Refusal(404, `Could not resolve to a node with the global id of '${id}'`);

type Place = readonly [GraphqlContext, Repository, PullIssue];

export function reviewObject([context, repository, issue]: Place, review: Review): object {
  return {
    __typename: "PullRequestReview",
    id: `PRR_${review.id}`,
    fullDatabaseId: String(review.id),
    state: review.state,
    body: review.body,
    bodyHTML: () => context.world.attachments.render(review.body),
    author: userObject(context, review.user),
    submittedAt: iso(review.submittedAt),
    commit: () => context.objects.commit(context, repository, review.commitId),
    comments: (args: unknown) =>
      connection(
        "comments",
        review.comments.map((comment) => commentObject([context, repository, issue], { review, comment })),
        args,
      ),
  };
}

function commentObject([context, repository, issue]: Place, { review, comment }: CommentOfReview): object {
  const { path, line, startLine } = comment;
  const now = (of: number | null) =>
    of === null ? null : lineIn(repository, review.commitId, issue.pull.headSha, path, of);
  return {
    __typename: "PullRequestReviewComment",
    id: `PRRC_${comment.id}`,
    fullDatabaseId: String(comment.id),
    path,
    body: comment.body,
    diffHunk: comment.hunk,
    line: () => now(line),
    startLine: () => now(startLine),
    originalLine: line,
    originalStartLine: startLine,
    outdated: async () => (await now(line)) === null,
    author: userObject(context, review.user),
    viewerDidAuthor:
      causeOf(context.world.state, context.request.actor, context.world.appId).user.id === review.user.id,
    createdAt: iso(review.submittedAt),
    replyTo: () => {
      const first = threadsOf(issue).find(({ id }) => id === comment.replyTo)?.comments[0];
      return first === undefined ? null : commentObject([context, repository, issue], first);
    },
    pullRequestReview: () => reviewObject([context, repository, issue], review),
  };
}

const can = (context: GraphqlContext, repository: Repository, ...permissions: string[]): boolean =>
  permissions.every((permission) => mayWrite(context.request.actor, repository, permission));

/** A locked conversation is closed to programs. */
const isShut = ({ request }: GraphqlContext, { locked }: PullIssue): boolean =>
  locked && request.actor.kind === "token";

function threadObject(place: Place, thread: Thread): object {
  const [context, repository, issue] = place;
  const [{ review, comment }] = thread.comments;
  const now = (of: number | null) =>
    of === null ? null : lineIn(repository, review.commitId, issue.pull.headSha, comment.path, of);
  return {
    __typename: "PullRequestReviewThread",
    id: `PRRT_${thread.id}`,
    isResolved: thread.resolvedBy !== null,
    isOutdated: async () => (await now(comment.line)) === null,
    path: comment.path,
    line: () => now(comment.line),
    startLine: () => now(comment.startLine),
    originalLine: comment.line,
    originalStartLine: comment.startLine,
    diffSide: "RIGHT",
    viewerCanReply: can(context, repository, "pull_requests") && !isShut(context, issue),
    viewerCanResolve: can(context, repository, "pull_requests", "contents"),
    comments: (args: unknown) =>
      connection(
        "comments",
        thread.comments.map((one) => commentObject(place, one)),
        args,
      ),
  };
}

/** The parts of a pull request that are about reviews. */
export const reviewLists = (...place: Place) => {
  const [context, repository, issue] = place;
  const { pull } = issue;
  return {
    reviews: (args: unknown) =>
      connection(
        "reviews",
        pull.reviews.map((one) => reviewObject(place, one)),
        args,
      ),
    latestOpinionatedReviews: (args: { writersOnly?: boolean }) =>
      connection(
        "latestOpinionatedReviews",
        latestOpinions(issue)
          .filter(({ user }) => !args.writersOnly || hasRole(repository, user.login, "write"))
          .map((one) => reviewObject(place, one)),
        args,
      ),
    reviewThreads: (args: unknown) =>
      connection(
        "reviewThreads",
        threadsOf(issue).map((one) => threadObject(place, one)),
        args,
      ),
    reviewRequests: (args: unknown) =>
      connection(
        "reviewRequests",
        pull.requestedReviewers.map((user) => ({ requestedReviewer: userObject(context, user) })),
        args,
      ),
  };
};

/** Undefined: it is no review's id. */
export function reviewNode(context: GraphqlContext, id: string): object | undefined {
  for (const repository of context.world.state.repositories.values())
    for (const issue of context.world.state.pulls(repository)) {
      const review = issue.pull.reviews.find((one) => id === `PRR_${one.id}`);
      if (review === undefined) continue;
      authorize(context.request.actor, repository, ["pull_requests:read"]);
      return reviewObject([context, repository, issue], review);
    }
  return undefined;
}

const input = <T extends z.ZodType>(of: T) => z.object({ input: of });
const replyInput = input(z.looseObject({ pullRequestReviewThreadId: z.string(), body: z.string() }));
const resolveInput = input(z.looseObject({ threadId: z.string() }));
const requestInput = input(
  z.looseObject({ pullRequestId: z.string(), userIds: z.array(z.string()).nullish(), union: z.boolean().nullish() }),
);

function threadById({ world }: GraphqlContext, id: string) {
  for (const repository of world.state.repositories.values())
    for (const issue of world.state.pulls(repository)) {
      const thread = threadsOf(issue).find((one) => id === `PRRT_${one.id}`);
      if (thread !== undefined) return { repository, issue, thread };
    }
  throw unresolved(id);
}

/** Each does what the button on the site does, and needs what GitHub needs for it. */
export function reviewMutations(
  context: GraphqlContext,
  pullById: (id: string) => { readonly repository: Repository; readonly issue: PullIssue },
) {
  const { world, request } = context;
  const cause = () => causeOf(world.state, request.actor, world.appId);
  const done = { clientMutationId: null };
  return {
    addPullRequestReviewThreadReply: (args: unknown) => {
      const { pullRequestReviewThreadId, body } = replyInput.parse(args).input;
      const { repository, issue, thread } = threadById(context, pullRequestReviewThreadId);
      authorize(request.actor, repository, ["pull_requests:write"]);
      if (isShut(context, issue)) throw new Refusal(403, "Unable to create comment because issue is locked.");
      if (body.trim() === "") throw new Refusal(422, "Body can't be blank");
      replyInThread(world, repository, issue, { thread, body }, cause());
      return done;
    },
    resolveReviewThread: (args: unknown) => {
      const { repository, issue, thread } = threadById(context, resolveInput.parse(args).input.threadId);
      authorize(request.actor, repository, ["pull_requests:write"]);
      authorize(request.actor, repository, ["contents:write"]);
      resolveThread(world, repository, issue, thread, cause());
      return done;
    },
    requestReviews: (args: unknown) => {
      const { pullRequestId, userIds, union } = requestInput.parse(args).input;
      const { repository, issue } = pullById(pullRequestId);
      const users = (userIds ?? []).map((id) => {
        const user = [...world.state.users.values()].find((one) => id === `U_${one.id}`);
        if (user === undefined) throw unresolved(id);
        return user;
      });
      requestReviews(world, repository, issue, { users, union: union ?? false }, cause());
      return done;
    },
  };
}
