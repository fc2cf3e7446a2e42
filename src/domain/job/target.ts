/**
 * Where a job's work goes: to a pull request of its own, or to the branch of a person's pull request. What is a person's
 * is never merged, closed or deleted by us; all rules ask here.
 */
import type { Job, Merge, Target } from "./schema.ts";

type HasTarget = { readonly target: Target };
export type Theirs = Extract<Target, { kind: "pull-request" }>;

/** The person's pull request that the job works on; null: it has one of its own. */
export const theirs = ({ target }: HasTarget): Theirs | null => (target.kind === "pull-request" ? target : null);

export const isOnTheirs = (job: HasTarget): boolean => theirs(job) !== null;

/** The commit under judgement is the one that was pushed to their branch. */
export const isOnTheirBranch = (job: HasTarget & { readonly head_sha: string | null }): boolean => {
  const pushed = theirs(job)?.pushed_sha ?? null;
  return pushed !== null && pushed === job.head_sha;
};

/** What this round asks for is that the checks of a person's pull request pass, and nothing else. */
export const isForChecksAlone = (job: Pick<Job, "target" | "rounds" | "task">): boolean =>
  theirs(job)?.only_checks === true && (job.rounds.at(-1)?.asked ?? job.task) === job.task;

/** Why such a pull request is never merged by us. */
export const MERGING_IS_THEIRS = "merging it is left to a person";

/** How each round begins. */
export const mergeAtFirst = (job: HasTarget): Merge =>
  isOnTheirs(job) ? { state: "off", why: MERGING_IS_THEIRS } : { state: "waiting", refusals: 0 };

/** What failed at a commit, in a word that is the same whenever the same fails. */
export interface Failing {
  readonly sha: string;
  readonly signature: string;
}

/** The work that was pushed in between has not changed what fails. */
export const failsTheSame = ({ failing }: Theirs, now: Failing | null): boolean =>
  failing !== null && now !== null && failing.sha !== now.sha && failing.signature === now.signature;
