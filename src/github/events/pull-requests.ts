/**
 * Translates events on pull requests and reviews. A job's pull request is known by its branch; any other one may be a
 * worker's own, known by its number. A fork may use the same branch name, so it is never taken for the job's.
 */
import * as z from "zod";
import { firstJobTicked } from "../../contracts/first-task.ts";
import type { Command } from "../../domain/job/command.ts";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { jobOfBranch } from "../../domain/job/job.ts";
import { exitOf } from "../../domain/job/merge-queue.ts";
import { SET_UP_BRANCH } from "../../domain/repository/set-up.ts";
import { head as firstOf } from "../../text/text.ts";
import {
  ignored,
  isBot,
  isSelf,
  jobEvent,
  type Listener,
  listener,
  person,
  pullsEvent,
  repositoryOf,
  setUpEvent,
  source,
  translated,
} from "./event-listener.ts";

const LOOK = { type: "look", forced: false } as const;
/** A person has done it. */
const REVIEWED = { ...LOOK, touched: true } as const;

const head = z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.number() }).nullish() });

const schema = z.object({
  ...source,
  pull_request: z.object({
    number: z.number(),
    head,
    merged: z.boolean().nullish(),
    merged_at: z.string().nullish(),
    merged_by: person.nullish(),
    body: z.string().nullish(),
  }),
  sender: person,
});

type PullRequestPayload = z.output<typeof schema>;

function pullEvent(
  payload: Pick<PullRequestPayload, "repository" | "installation"> & {
    readonly pull_request: { readonly number: number; readonly head: z.output<typeof head> };
  },
  command: Command,
): TranslatedEvent {
  const { number, head } = payload.pull_request;
  const job = head.repo?.id === payload.repository.id ? jobOfBranch(head.ref) : null;
  return job === null ? pullsEvent(payload, [number], command) : jobEvent(payload, job, command);
}

const setsUp = ({ pull_request: { head }, repository }: PullRequestPayload): boolean =>
  head.ref === SET_UP_BRANCH && head.repo?.id === repository.id;

/** What its text says of the first job, and who has merged it. A program that merges asks for no job. */
function setUpNews(payload: PullRequestPayload): TranslatedEvent {
  const { number: pull_request, body, merged, merged_by } = payload.pull_request;
  const first_job = firstJobTicked(body ?? "");
  const { login: author, id: author_id, ...rest } = merged_by ?? payload.sender;
  const isPersons = merged === true && author_id !== undefined && !isBot({ login: author, ...rest });
  return setUpEvent(payload, {
    ...(first_job === undefined ? {} : { first_job }),
    ...(isPersons ? { merged: { pull_request, author, author_id } } : {}),
  });
}

export const pullRequestClosed = listener(schema, (payload) => {
  if (setsUp(payload)) return setUpNews(payload);
  const { number, merged, merged_at, merged_by } = payload.pull_request;
  if (merged !== true) return pullEvent(payload, { type: "closed", pull_request: number, by: payload.sender.login });
  const at = Date.parse(merged_at ?? "");
  if (Number.isNaN(at)) return ignored("the pull request is merged, but the payload does not say when");
  const merger = merged_by ?? payload.sender;
  const whose = isBot(merger) || merger.id === undefined ? {} : { by_id: merger.id };
  return pullEvent(payload, { type: "merged", pull_request: number, by: merger.login, ...whose, at });
});

export const pullRequestReopened = listener(schema, (payload) =>
  setsUp(payload)
    ? setUpEvent(payload)
    : pullEvent(payload, { type: "reopened", pull_request: payload.pull_request.number }),
);

const pushedSchema = schema.extend({
  repository: source.repository.extend({ default_branch: z.string() }),
  pull_request: schema.shape.pull_request.extend({ base: z.object({ ref: z.string() }) }),
});

/** A fork's pull request may bring other settings; what a branch of this repository brings is known by its push. */
const fromFork = ({ pull_request: { head, base }, repository }: z.output<typeof pushedSchema>): boolean =>
  head.repo?.id !== repository.id && base.ref === repository.default_branch;

export const pullRequestOpened = listener(pushedSchema, (payload) => {
  const { number: pull_request, head } = payload.pull_request;
  return fromFork(payload)
    ? translated({ type: "files-pushed", repository: repositoryOf(payload), head_sha: head.sha, pull_request })
    : ignored("the pull request is of a branch of this repository, or not for the default branch");
});

export const pullRequestSynchronized = listener(pushedSchema, (payload, self) => {
  if (isSelf(payload.sender, self)) return ignored("our own push");
  const { sha } = payload.pull_request.head;
  const news = pullEvent(payload, { type: "head-moved", sha });
  return news.kind === "event" && news.event.type === "pull-news" && fromFork(payload)
    ? translated({ ...news.event, fork_head: sha })
    : news;
});

/** Edited, made ready, made a draft; our own changes are ignored. */
export const pullRequestChanged = listener(schema, (payload, self) => {
  if (isSelf(payload.sender, self)) return ignored("our own change of the pull request");
  return setsUp(payload) ? setUpNews(payload) : pullEvent(payload, LOOK);
});

/** Characters of GitHub's reason. */
const REASON_LIMIT = 100;

const dequeuedSchema = schema.extend({ reason: z.string().nullish() });

/** What we took out ourselves is nobody's word, and may be told of when it is about to be added again. */
export const pullRequestDequeued = listener(dequeuedSchema, (payload, self) => {
  const { pull_request, reason, sender } = payload;
  if (isSelf(sender, self) && exitOf(reason ?? "") === "person") return pullEvent(payload, LOOK);
  const by = isBot(sender) || isSelf(sender, self) ? null : sender.login;
  const said = firstOf(reason ?? "", REASON_LIMIT);
  return pullEvent(payload, { type: "dequeued", pull_request: pull_request.number, reason: said, by });
});

const disabledSchema = schema.extend({
  pull_request: schema.shape.pull_request.extend({ base: z.object({ ref: z.string() }) }),
});

/** A person's action is a decision; GitHub's or a bot's only makes us re-evaluate. */
export const autoMergeDisabled = listener(disabledSchema, (payload, self) => {
  const { sender, pull_request } = payload;
  if (isBot(sender) || isSelf(sender, self)) return pullEvent(payload, LOOK);
  return pullEvent(payload, { type: "auto-merge-disabled", by: sender.login, base: pull_request.base.ref });
});

const reviewSchema = z.object({
  ...source,
  pull_request: z.object({ number: z.number(), head }),
  review: z.object({ state: z.string() }),
});

export const reviewChanged = listener(reviewSchema, (payload) =>
  payload.review.state.toLowerCase() === "commented"
    ? ignored("the review neither approves nor requests changes")
    : pullEvent(payload, REVIEWED),
);

const commentedSchema = reviewSchema.extend({ review: z.object({ user: person.nullish() }), sender: person });

/** It decides nothing, and says that somebody looks after the pull request. */
export const reviewCommented = listener(commentedSchema, (payload) => {
  const { sender, review } = payload;
  return isBot(review.user ?? sender) || isBot(sender)
    ? ignored("the review of a bot")
    : pullEvent(payload, { type: "touched" });
});

const dismissedSchema = reviewSchema.extend({ review: z.object({ id: z.number().int().positive() }) });

/** It asks for nothing any more, and no longer holds the merge. */
export const reviewDismissed = listener(dismissedSchema, (payload) =>
  pullEvent(payload, { type: "review-dismissed", review_id: payload.review.id }),
);

const threadSchema = z.object({ ...source, pull_request: z.object({ number: z.number(), head }) });

export const reviewThreadChanged: Listener = listener(threadSchema, (payload) => pullEvent(payload, LOOK));
