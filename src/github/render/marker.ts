/** Hidden markers by which the App finds its own comments. `escapeMarkdown` removes them from foreign text. */
import type { JobId } from "../../domain/job/job.ts";

export const jobMarker = (id: JobId): string => `<!-- journeyman:job:${id} -->`;

/** Marks the answer of a round to a review comment. */
export const replyMarker = (id: JobId, round: number, comment: number): string =>
  `<!-- journeyman:reply:${id}:${round}:${comment} -->`;

/** Marks the comment that tells the requester that a job waits for a person. */
export const mentionMarker = (id: JobId, round: number): string => `<!-- journeyman:mention:${id}:${round} -->`;

/** Marks a reply that belongs to no job by what it answers. */
export const answerMarker = (what: string): string => `<!-- journeyman:answer:${what.replace(/[^\w.:-]/g, "")} -->`;
