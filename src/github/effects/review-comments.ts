/**
 * Reads the reviews that a round is about, for its brief: one query, whatever the number of comments. Comments are
 * written by people who may write here and are data all the same: bounded, normalised and redacted.
 */
import * as z from "zod";
import { redact } from "../../contracts/redact.ts";
import {
  MAX_HUNK,
  MAX_REVIEW_COMMENTS,
  MAX_REVIEW_TEXT,
  MAX_SUGGESTIONS,
  type Review,
  type ReviewComment,
  type Suggestion,
} from "../../contracts/review.ts";
import type { Command } from "../../domain/job/command.ts";
import { normalise } from "../../text/normalise.ts";
import { linesBefore, suggestionsIn } from "../../text/suggestions.ts";
import { cut, tail } from "../../text/text.ts";
import { askForParts, fullId } from "../client/graphql.ts";
import { type Answered, answeredIn, REPLY_TO, replyToSchema } from "./answered-comments.ts";
import type { AttemptRef } from "./brief.ts";
import type { Task } from "./task.ts";

/** Characters of all comments of a round; they are part of the brief and of the first prompt. */
const MAX_CHARACTERS = 100_000;

const QUERY = `
query ReviewsOfRound($owner: String!, $repo: String!, $number: Int!, $ids: [ID!]!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      reviewThreads(last: 100) { nodes { diffSide comments(first: 1) { nodes { fullDatabaseId } } } }
    }
  }
  nodes(ids: $ids) {
    ... on PullRequestReview {
      id
      fullDatabaseId
      state
      body
      author { login }
      commit { oid }
      comments(first: ${MAX_REVIEW_COMMENTS}) {
        totalCount
        nodes {
          fullDatabaseId
          path
          body
          diffHunk
          line
          startLine
          originalLine
          originalStartLine
          ${REPLY_TO}
        }
      }
    }
  }
}`;

const line = z.number().int().positive().nullable();

const commentSchema = z.object({
  fullDatabaseId: fullId,
  path: z.string(),
  body: z.string(),
  diffHunk: z.string(),
  line,
  startLine: line,
  originalLine: line,
  originalStartLine: line,
  replyTo: replyToSchema,
});

const reviewSchema = z.object({
  fullDatabaseId: fullId,
  state: z.string(),
  body: z.string(),
  author: z.object({ login: z.string() }).nullable(),
  commit: z.object({ oid: z.string() }).nullable(),
  comments: z.object({ totalCount: z.number(), nodes: z.array(commentSchema) }),
});

type Comment = z.output<typeof commentSchema>;
type ReadReview = z.output<typeof reviewSchema>;
type Side = ReviewComment["side"];

const schema = z.object({
  repository: z
    .object({
      pullRequest: z
        .object({
          reviewThreads: z.object({
            nodes: z.array(
              z.object({
                diffSide: z.enum(["LEFT", "RIGHT"]),
                comments: z.object({ nodes: z.array(z.object({ fullDatabaseId: fullId })) }),
              }),
            ),
          }),
        })
        .nullable(),
    })
    .nullable(),
  // Null: it is gone.
  nodes: z.array(reviewSchema.nullable()),
});

const clean = (text: string): string => redact(normalise(text));

/** The end of a diff, in whole lines. */
function endOf(hunk: string): string {
  const end = tail(hunk, MAX_HUNK);
  return end.length === hunk.length ? end : end.slice(end.indexOf("\n") + 1);
}

/** None for what is about a deleted line, or about a whole file: GitHub offers no button for those either. */
function suggestionsOf(comment: Comment, side: Side, body: string, hunk: string): Suggestion[] {
  const now = { from: comment.startLine ?? comment.line, to: comment.line };
  const then = { from: comment.originalStartLine ?? comment.originalLine, to: comment.originalLine };
  const { from, to } = now.to === null ? then : now;
  if (side === "LEFT" || from === null || to === null || from > to) return [];
  const count = (then.to ?? to) - (then.from ?? from) + 1;
  return suggestionsIn(body, MAX_SUGGESTIONS).map((text) => ({ from, to, replaces: linesBefore(hunk, count), text }));
}

function commentOf(comment: Comment, side: Side, answered: Answered): ReviewComment {
  const [body, hunk] = [clean(comment.body), clean(comment.diffHunk)];
  return {
    id: comment.fullDatabaseId,
    path: clean(comment.path),
    line: comment.line,
    original_line: comment.originalLine,
    side,
    hunk: endOf(hunk),
    body: cut(body, MAX_REVIEW_TEXT),
    ...answered(comment.replyTo),
    suggestions: suggestionsOf(comment, side, body, hunk),
  };
}

const lengthOf = ({ body, answers, hunk, suggestions }: ReviewComment): number =>
  body.length +
  (answers?.body ?? "").length +
  hunk.length +
  suggestions.reduce((sum, { text, replaces }) => sum + text.length + (replaces ?? "").length, 0);

/** The first comments that fit; the others are counted. */
function reviewsOf(read: readonly ReadReview[], sides: ReadonlyMap<number, Side>, answered: Answered): Review[] {
  let [places, characters] = [MAX_REVIEW_COMMENTS, MAX_CHARACTERS];
  return read.map(({ fullDatabaseId: id, author, body, commit, comments }) => {
    const taken: ReviewComment[] = [];
    for (const one of comments.nodes) {
      const comment = commentOf(one, sides.get((one.replyTo ?? one).fullDatabaseId) ?? "RIGHT", answered);
      if (places === 0 || lengthOf(comment) > characters) break;
      taken.push(comment);
      places -= 1;
      characters -= lengthOf(comment);
    }
    return {
      id,
      by: author?.login ?? null,
      body: cut(clean(body), MAX_REVIEW_TEXT),
      commit: commit?.oid ?? null,
      comments: taken,
      left_out: comments.totalCount - taken.length,
    };
  });
}

export type RoundReviews =
  | { readonly kind: "reviews"; readonly reviews: readonly Review[] }
  /** The round is about nothing any more. */
  | { readonly kind: "withdrawn"; readonly report: Command };

/** Throws what Octokit throws. */
export async function readRoundReviews(task: Task, { round, attempt }: AttemptRef): Promise<RoundReviews> {
  const { pull_request, reviews } = task.job;
  if (pull_request === null || reviews.now.length === 0) return { kind: "reviews", reviews: [] };
  const ids = reviews.now.map(({ node_id }) => node_id);
  const variables = { ...task.at, number: pull_request.number, ids };
  const { repository, nodes } = await askForParts(task, QUERY, variables, schema);
  const threads = repository?.pullRequest?.reviewThreads.nodes ?? [];
  const sides = new Map(
    threads.flatMap(({ diffSide, comments }) =>
      comments.nodes.map(({ fullDatabaseId }) => [fullDatabaseId, diffSide] as const),
    ),
  );
  // once somebody works on it, or has asked for it in words, the round goes on
  const begins = reviews.alone && attempt === 1;
  const read = nodes.filter((one) => one !== null).filter(({ state }) => !begins || state !== "DISMISSED");
  if (begins && read.length === 0) return { kind: "withdrawn", report: { type: "reviews-withdrawn", round } };
  const replies = read.flatMap(({ comments }) => comments.nodes.map(({ replyTo }) => replyTo));
  const answered = await answeredIn(task, replies, (text) => cut(clean(text), MAX_REVIEW_TEXT));
  return { kind: "reviews", reviews: reviewsOf(read, sides, answered) };
}
