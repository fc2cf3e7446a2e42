/**
 * A person's pull request that a job works on, as its brief shows it: what it changes, and what is still talked about.
 * Data, bounded and redacted before it gets here.
 */
import * as z from "zod";

/** Files that are listed; GitHub lists as many on one page. */
export const MAX_FILES = 100;
/** Characters of one file's changes, and of all together. */
export const MAX_PATCH = 6_000;
export const MAX_PATCHES = 60_000;
/** Open threads, the comments of each, and the characters of a comment and of the lines before it. */
export const MAX_THREADS = 30;
export const MAX_THREAD_COMMENTS = 10;
export const MAX_COMMENT = 2_000;
export const MAX_HUNK = 1_500;

const threadSchema = z.object({
  path: z.string(),
  /** Null: the line is gone, or it is about the whole file. */
  line: z.number().int().positive().nullable(),
  hunk: z.string(),
  /** `by`: GitHub login; null: the account was deleted. */
  comments: z.array(z.object({ by: z.string().nullable(), body: z.string() })).max(MAX_THREAD_COMMENTS),
});

export const theirPullRequestSchema = z.object({
  number: z.number().int().positive(),
  branch: z.string(),
  title: z.string(),
  /** `patch` null: it is left out, or the file is no text. */
  files: z.array(z.object({ path: z.string(), status: z.string(), patch: z.string().nullable() })).max(MAX_FILES),
  /** Further files that are not listed. */
  more_files: z.number().int().nonnegative(),
  /** Unresolved, oldest first. */
  threads: z.array(threadSchema).max(MAX_THREADS),
});

export type TheirPullRequest = z.infer<typeof theirPullRequestSchema>;
export type Thread = TheirPullRequest["threads"][number];
