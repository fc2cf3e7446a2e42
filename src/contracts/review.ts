/**
 * Reviews of a job's pull request, as the brief carries them and as the result answers them. Written by people who may
 * write to the repository, but still data: bounded, normalised and redacted before they get here.
 */
import * as z from "zod";

/** Comments of all reviews of one round. A reply and a resolved thread each cost one of GitHub's 80 writes a minute. */
export const MAX_REVIEW_COMMENTS = 30;
/** Characters of a comment or of a review's own text, and of the part of the diff before its line. */
export const MAX_REVIEW_TEXT = 10_000;
export const MAX_HUNK = 3_000;
/** Suggestions of one comment. */
export const MAX_SUGGESTIONS = 10;
/** Characters of one reply. */
export const MAX_REPLY = 2_000;

const id = z.number().int().positive();
const line = z.number().int().positive().nullable();

/** What GitHub's “Commit suggestion” would do: the lines `from` to `to` become `text`, to the character. */
export const suggestionSchema = z.object({
  from: z.number().int().positive(),
  to: z.number().int().positive(),
  /** What stood on these lines when it was written; null: not known. */
  replaces: z.string().nullable(),
  text: z.string(),
});

export type Suggestion = z.infer<typeof suggestionSchema>;

export const reviewCommentSchema = z.object({
  /** GitHub's number of the comment, by which the result answers it. */
  id,
  path: z.string(),
  /** The last line that it is about, as the file is now; null: the line is gone, or it is about the whole file. */
  line,
  /** Where it was when the comment was written; null: it is about the whole file. */
  original_line: line,
  side: z.enum(["LEFT", "RIGHT"]),
  /** The end of the diff before it, with its line last. */
  hunk: z.string(),
  body: z.string(),
  /** The comment that began its thread. `body` null: by somebody who may not write, so it is not shown. Missing: none. */
  answers: z.object({ by: z.string().nullable(), body: z.string().nullable() }).optional(),
  suggestions: z.array(suggestionSchema).max(MAX_SUGGESTIONS).default([]),
});

export type ReviewComment = z.infer<typeof reviewCommentSchema>;

export const reviewSchema = z.object({
  id,
  /** GitHub login; null: the account was deleted. */
  by: z.string().nullable(),
  body: z.string(),
  /** The commit that was looked at; null: it is gone. */
  commit: z.string().nullable(),
  comments: z.array(reviewCommentSchema).max(MAX_REVIEW_COMMENTS),
  /** Further comments, which no round of this size can answer. */
  left_out: z.number().int().nonnegative().default(0),
});

export type Review = z.infer<typeof reviewSchema>;

/** The agent's answer to one comment. `done`: nothing of it is left to do. */
export const replySchema = z.object({ id, body: z.string().max(MAX_REPLY), done: z.boolean() });

export type Reply = z.infer<typeof replySchema>;
