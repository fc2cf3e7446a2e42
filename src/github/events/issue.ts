/** The issue or pull request of a command. Its text is foreign data: bounded here and cleaned where it is used. */
import * as z from "zod";
import type { EventIssue } from "../../domain/job/github-event.ts";
import { head } from "../../text/text.ts";

/** Characters of an issue's text that are kept; GitHub allows 65,536. */
export const ISSUE_BODY_LIMIT = 60_000;

/** GitHub's limit. */
export const ISSUE_TITLE_LIMIT = 256;

export const issueSchema = z.object({
  number: z.number(),
  title: z.string(),
  body: z.string().nullish(),
  pull_request: z.object({}).nullish(),
  /** Before the comment that the delivery is about. */
  comments: z.number().nullish(),
});

export const issueOfPayload = (issue: z.output<typeof issueSchema>): EventIssue => ({
  number: issue.number,
  title: head(issue.title, ISSUE_TITLE_LIMIT),
  body: head(issue.body ?? "", ISSUE_BODY_LIMIT),
  is_pull_request: issue.pull_request != null,
  ...(issue.comments === 0 ? { undiscussed: true as const } : {}),
});
