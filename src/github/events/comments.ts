/**
 * Translates comments on issues, pull requests and their lines, and reviews. Only new ones may hold commands: an edit
 * can put other people's words under the author's name. The engine checks the author's permission.
 */
import * as z from "zod";
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { LineOfFile, ReviewOfCommand, TranslatedEvent } from "../../domain/job/github-event.ts";
import { jobOfBranch } from "../../domain/job/job.ts";
import {
  type AppIdentity,
  commandAuthor,
  ignored,
  isBot,
  type Listener,
  listener,
  person,
  pullsEvent,
  repositoryOf,
  source,
  translated,
} from "./event-listener.ts";
import { issueOfPayload, issueSchema } from "./issue.ts";
import { reviewChanged, reviewCommented } from "./pull-requests.ts";
import { readSlashCommand } from "./slash-command.ts";

const written = z.object({
  body: z.string(),
  user: commandAuthor,
  performed_via_github_app: z.object({ id: z.number() }).nullish(),
});

const schema = z.object({
  ...source,
  issue: issueSchema,
  comment: written.extend({ id: z.number() }),
  sender: person,
});

const onPull = { ...source, pull_request: issueSchema, sender: person };

type Said = Pick<z.output<typeof schema>, "repository" | "installation" | "sender" | "issue">;

interface Where {
  readonly comment_id: CommentId;
  readonly line?: LineOfFile;
  readonly review?: ReviewOfCommand;
}

const NO_COMMAND = ignored("the comment holds no command");

function said(payload: Said, comment: z.output<typeof written>, where: Where, self: AppIdentity): TranslatedEvent {
  const { issue, sender } = payload;
  if (comment.performed_via_github_app?.id === self.appId) return ignored("our own comment");
  if (isBot(comment.user) || isBot(sender)) return ignored("the comment of a bot");
  const command = readSlashCommand(comment.body);
  if (command === null) return NO_COMMAND;
  const { login: author, id: author_id } = comment.user;
  return translated({
    type: "slash",
    ...{ repository: repositoryOf(payload), issue: issueOfPayload(issue), ...where, author, author_id, command },
  });
}

/** Whatever a person says on a pull request, they look after it. Of a review its own event says so. */
export const commentCreated = listener(schema, (payload, self) => {
  const { issue, comment } = payload;
  const read = said(payload, comment, { comment_id: comment.id }, self);
  return read === NO_COMMAND && issue.pull_request != null
    ? pullsEvent(payload, [issue.number], { type: "touched" })
    : read;
});

const ofPull = (payload: Omit<Said, "issue"> & { readonly pull_request: z.output<typeof issueSchema> }): Said => ({
  ...payload,
  issue: { ...payload.pull_request, pull_request: {} },
});

const lineSchema = z.object({
  ...onPull,
  comment: written.extend({
    id: z.number(),
    path: z.string(),
    line: z.number().nullish(),
    pull_request_review_id: z.number().int().positive().nullish(),
  }),
});

export const reviewCommentCreated = listener(lineSchema, (payload, self) => {
  const { comment } = payload;
  const line = { path: comment.path, number: comment.line ?? null };
  const id = comment.pull_request_review_id ?? null;
  const where = {
    comment_id: `review-comment:${comment.id}`,
    line,
    ...(id === null ? {} : { review: { id } }),
  } as const;
  return said(ofPull(payload), comment, where, self);
});

/** GraphQL ids, which are opaque. */
const nodeId = z.string().regex(/^[\w=+/-]{1,200}$/);

const reviewId = { id: z.number().int().positive(), node_id: nodeId };

const reviewSchema = z.object({ ...onPull, review: written.extend(reviewId) });

const reviewText = listener(reviewSchema, (payload, self) => {
  const { id, node_id } = payload.review;
  return said(ofPull(payload), payload.review, { comment_id: `review:${node_id}`, review: { id, node_id } }, self);
});

const askingSchema = z.object({
  ...source,
  pull_request: z.object({
    number: z.number(),
    state: z.string(),
    head: z.object({ ref: z.string(), repo: z.object({ id: z.number() }).nullish() }),
  }),
  review: z.object({ ...reviewId, state: z.string(), user: commandAuthor.nullable() }),
  sender: person,
});

/** What programs ask for is no command, and a deleted account has no permission any more. */
const reviewAsking = listener(askingSchema, (payload) => {
  const { repository, pull_request, review, sender } = payload;
  const { number, state, head } = pull_request;
  const job = head.repo?.id === repository.id ? jobOfBranch(head.ref) : null;
  if (review.state.toLowerCase() !== "changes_requested") return ignored("the review asks for no changes");
  if (job === null || state !== "open") return ignored("it is no open pull request of a job");
  if (review.user === null) return ignored("the reviewer's account is deleted");
  if (isBot(review.user) || isBot(sender)) return ignored("the review of a bot");
  const { id, node_id, user } = review;
  return translated({
    ...{ type: "review", repository: repositoryOf(payload), job, pull_request: number, review: { id, node_id } },
    ...{ author: user.login, author_id: user.id },
  });
});

/**
 * A review may hold a command, whatever it decides, and then is that command alone. Else one that asks for changes asks
 * for a round. Line comments have their own events.
 */
export const reviewSubmitted: Listener = (payload, self) => {
  const [words, changed] = [reviewText(payload, self), reviewChanged(payload, self)];
  if (words.kind === "event" && words.event.type === "slash")
    return changed.kind === "ignored" ? words : translated({ ...words.event, reviewed: true });
  const asking = reviewAsking(payload, self);
  if (asking.kind === "event") return asking;
  return changed.kind === "event" ? changed : reviewCommented(payload, self);
};
