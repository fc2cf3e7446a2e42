/** Job ids and the names of job branches. */
import { JOB_ID_PATTERN } from "../../contracts/brief.ts";

declare const brand: unique symbol;

/** Eight lower-case letters and digits. */
export type JobId = string & { readonly [brand]: "JobId" };

/** The id in this text, or null when it is not one. */
export const asJobId = (text: string): JobId | null => (JOB_ID_PATTERN.test(text) ? (text as JobId) : null);

const BRANCH_PREFIX = "job/";

export const branchOf = (id: JobId): string => `${BRANCH_PREFIX}${id}`;

/** The job that a branch belongs to, by its name alone; null for every other branch. */
export const jobOfBranch = (branch: string): JobId | null =>
  branch.startsWith(BRANCH_PREFIX) ? asJobId(branch.slice(BRANCH_PREFIX.length)) : null;
