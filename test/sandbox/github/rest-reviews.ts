/** REST: reviews of pull requests, and comments on their lines. */
import * as z from "zod";
import { mayWrite } from "./access.ts";
import { notFound, parseBody, Refusal } from "./errors.ts";
import { reviewCommentJson, reviewJson } from "./payloads-issues.ts";
import { pullParam } from "./rest-pulls.ts";
import { listReactions, react } from "./rest-reactions.ts";
import * as reviews from "./reviews.ts";
import {
  created,
  numberParam,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  rendered,
  repositoryRoute,
} from "./router.ts";
import type { World } from "./world.ts";

const ofLine = z.object({
  path: z.string(),
  line: z.number().int().positive(),
  start_line: z.number().int().positive().nullish(),
  body: z.string().min(1),
});

const reviewBody = z.object({
  body: z.string().default(""),
  event: z.enum(["APPROVE", "REQUEST_CHANGES", "COMMENT"]),
  commit_id: z.string().optional(),
  comments: z.array(ofLine).default([]),
});
const commentBody = ofLine.extend({ commit_id: z.string() });
const STATES = { APPROVE: "APPROVED", REQUEST_CHANGES: "CHANGES_REQUESTED", COMMENT: "COMMENTED" } as const;

async function createReview(world: World, request: RepositoryRequest): Promise<Reply> {
  const issue = pullParam(world, request);
  const { body, event, comments: said } = parseBody(reviewBody, request.body);
  const cause = request.cause();
  if (event !== "COMMENT" && cause.user.id === issue.user.id) {
    const verb = event === "APPROVE" ? "approve" : "request changes on";
    throw new Refusal(422, "Unprocessable Entity", { errors: [`Can not ${verb} your own pull request`] });
  }
  const comments = await reviews.onLines(request.repository, issue, said);
  const review = reviews.addReview(world, request.repository, issue, { state: STATES[event], body, comments }, cause);
  return ok(reviewJson(world, request.repository, issue.number, review));
}

/** A single comment is a review without a body. */
async function createComment(world: World, request: RepositoryRequest): Promise<Reply> {
  const issue = pullParam(world, request);
  const comments = await reviews.onLines(request.repository, issue, [parseBody(commentBody, request.body)]);
  const input = { state: "COMMENTED", body: "", comments } as const;
  const review = reviews.addReview(world, request.repository, issue, input, request.cause());
  const [comment] = review.comments;
  if (comment === undefined) throw new Error("a comment was just made");
  return created(reviewCommentJson(world, request.repository, issue.number, review, comment));
}

function listReviews(world: World, request: RepositoryRequest): Reply {
  const issue = pullParam(world, request);
  return paged(world, request, issue.pull.reviews, (page) =>
    page.map((one) => reviewJson(world, request.repository, issue.number, one)),
  );
}

function listComments(world: World, request: RepositoryRequest): Reply {
  const { number, pull } = pullParam(world, request);
  const all = pull.reviews.flatMap((review) => review.comments.map((comment) => ({ review, comment })));
  return paged(world, request, all, (page) =>
    page.map(({ review, comment }) => reviewCommentJson(world, request.repository, number, review, comment)),
  );
}

function reviewParam(world: World, request: RepositoryRequest) {
  const issue = pullParam(world, request);
  const id = numberParam(request, "review_id");
  const review = issue.pull.reviews.find((one) => one.id === id);
  if (!review) throw notFound();
  return { issue, review };
}

function dismiss(world: World, request: RepositoryRequest): Reply {
  const { issue, review } = reviewParam(world, request);
  parseBody(z.object({ message: z.string().min(1) }), request.body);
  if (!mayWrite(request.actor, request.repository, "pull_requests"))
    throw new Refusal(403, "Must have push access to repository");
  reviews.dismissReview(world, request.repository, issue, review, request.cause());
  return ok(reviewJson(world, request.repository, issue.number, review));
}

function commentParam(world: World, request: RepositoryRequest) {
  const found = reviews.findReviewComment(world, request.repository, numberParam(request, "comment_id"));
  if (!found) throw notFound();
  return found;
}

const READ = "pull_requests:read";
const WRITE = "pull_requests:write";

export const reviewRoutes: readonly Route[] = [
  repositoryRoute("GET /pulls/:number/reviews", READ, listReviews),
  repositoryRoute("POST /pulls/:number/reviews", WRITE, createReview),
  repositoryRoute("GET /pulls/:number/reviews/:review_id", READ, (world, request) => {
    const { issue, review } = reviewParam(world, request);
    const shown = reviewJson(world, request.repository, issue.number, review);
    return ok({ ...shown, ...rendered(world, request, review.body) });
  }),
  repositoryRoute("PUT /pulls/:number/reviews/:review_id/dismissals", WRITE, dismiss),
  repositoryRoute("GET /pulls/:number/comments", READ, listComments),
  repositoryRoute("POST /pulls/:number/comments", WRITE, createComment),
  repositoryRoute("GET /pulls/comments/:comment_id", READ, (world, request) => {
    const { issue, review, comment } = commentParam(world, request);
    const shown = reviewCommentJson(world, request.repository, issue.number, review, comment);
    return ok({ ...shown, ...rendered(world, request, comment.body) });
  }),
  repositoryRoute("GET /pulls/comments/:comment_id/reactions", READ, (world, request) =>
    listReactions(world, request, commentParam(world, request).comment.reactions),
  ),
  repositoryRoute("POST /pulls/comments/:comment_id/reactions", WRITE, (world, request) =>
    react(world, request, commentParam(world, request).comment.reactions),
  ),
];
