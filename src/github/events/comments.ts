/**
 * Translates comments on issues, pull requests and their lines, and reviews. Only new ones may hold commands: an edit
 * can put other people's words under the author's name. The engine checks the author's permission.
 */
import * as z from "zod";
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { LineOfFile, TranslatedEvent } from "../../domain/job/github-event.ts";
import {
  type AppIdentity,
  commandAuthor,
  ignored,
  isBot,
  type Listener,
  listener,
  person,
  repositoryOf,
  source,
  translated,
} from "./event-listener.ts";
import { issueOfPayload, issueSchema } from "./issue.ts";
import { reviewChanged } from "./pull-requests.ts";
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
}

function said(payload: Said, comment: z.output<typeof written>, where: Where, self: AppIdentity): TranslatedEvent {
  const { issue, sender } = payload;
  if (comment.performed_via_github_app?.id === self.appId) return ignored("our own comment");
  if (isBot(comment.user) || isBot(sender)) return ignored("the comment of a bot");
  const command = readSlashCommand(comment.body);
  if (command === null) return ignored("the comment holds no command");
  const { login: author, id: author_id } = comment.user;
  return translated({
    type: "slash",
    ...{ repository: repositoryOf(payload), issue: issueOfPayload(issue), ...where, author, author_id, command },
  });
}

export const commentCreated = listener(schema, (payload, self) =>
  said(payload, payload.comment, { comment_id: payload.comment.id }, self),
);

const ofPull = (payload: Omit<Said, "issue"> & { readonly pull_request: z.output<typeof issueSchema> }): Said => ({
  ...payload,
  issue: { ...payload.pull_request, pull_request: {} },
});

const lineSchema = z.object({
  ...onPull,
  comment: written.extend({ id: z.number(), path: z.string(), line: z.number().nullish() }),
});

export const reviewCommentCreated = listener(lineSchema, (payload, self) => {
  const { comment } = payload;
  const line = { path: comment.path, number: comment.line ?? null };
  return said(ofPull(payload), comment, { comment_id: `review-comment:${comment.id}`, line }, self);
});

/** GraphQL ids, which are opaque. */
const nodeId = z.string().regex(/^[\w=+/-]{1,200}$/);

const reviewSchema = z.object({ ...onPull, review: written.extend({ node_id: nodeId }) });

const reviewText = listener(reviewSchema, (payload, self) =>
  said(ofPull(payload), payload.review, { comment_id: `review:${payload.review.node_id}` }, self),
);

/** An approving or rejecting review may hold a command too; line comments have their own events. */
export const reviewSubmitted: Listener = (payload, self) => {
  const [words, changed] = [reviewText(payload, self), reviewChanged(payload, self)];
  if (words.kind === "ignored" || words.event.type !== "slash") return changed;
  return changed.kind === "ignored" ? words : translated({ ...words.event, reviewed: true });
};
