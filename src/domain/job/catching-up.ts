/**
 * What a pull request needs of its base before it can merge: an update or the resolution of a conflict. Pure; the words are
 * the verdict's.
 */
import type { Facts } from "./facts.ts";
import { isOnActions, type Job } from "./job.ts";
import type { Reason } from "./reason.ts";

const CONFLICT = "it conflicts with the base branch";
const BEHIND = "the base branch must be merged into it first";

/** Work that a person merges, or the market's, is left to people: their branches are not touched unasked. */
const isOurs = (facts: Facts, job: Job, forbidden: string | null): boolean =>
  isOnActions(job) &&
  forbidden === null &&
  facts.state === "open" &&
  !facts.draft &&
  facts.review !== "changes_requested" &&
  // which brings it up to date by itself, and throws it out where it conflicts
  facts.queue.entry === null &&
  job.catch_up.stuck === null;

export const conflictText = (facts: Facts, job: Job, forbidden: string | null): string =>
  isOurs(facts, job, forbidden) ? CONFLICT : `${CONFLICT}; ${job.catch_up.stuck ?? "resolve the conflicts"}`;

export const behindText = (facts: Facts, job: Job, forbidden: string | null): string =>
  isOurs(facts, job, forbidden) ? BEHIND : `${BEHIND}; ${job.catch_up.stuck ?? "press “Update branch”"}`;

export const isConflict = ({ text }: Reason): boolean => text.startsWith(CONFLICT);

/** Null: nothing, or it is not ours to do, or checks come first. */
export function needOf(facts: Facts, job: Job, work: Reason, forbidden: string | null): "update" | "conflict" | null {
  if (!isOurs(facts, job, forbidden)) return null;
  if (facts.mergeable === "conflict") return work.verdict === "pass" || isConflict(work) ? "conflict" : null;
  const behind =
    facts.mergeable === "yes" && facts.merge_state === "BEHIND" && facts.review !== "required" && !facts.queue.required;
  return work.verdict === "pass" && behind ? "update" : null;
}

export const baseName = ({ base }: Job): string => base.branch ?? "the base branch";

export const resolveByHand = (job: Job): string =>
  `resolve them on ${job.branch}, or ask for it with \`/job <text>\` on the pull request`;
