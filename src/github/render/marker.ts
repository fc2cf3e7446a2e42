/** Hidden marks by which the App finds what it has written. Foreign text never carries one: `harmless` takes them out. */
import type { JobId } from "../../domain/job/job.ts";

export const jobMarker = (id: JobId): string => `<!-- journeyman:job:${id} -->`;

/** Of an answer that belongs to no job, by what it answers. */
export const answerMarker = (what: string): string => `<!-- journeyman:answer:${what.replace(/[^\w.:-]/g, "")} -->`;
