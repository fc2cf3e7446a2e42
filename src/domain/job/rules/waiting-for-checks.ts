/**
 * Rules for work that waits for checks. Checks that were cancelled or have become stale are decided by nobody, so they
 * neither fail an attempt nor let anything merge: where nothing else is missing, the App runs them again, once in an
 * attempt; after that a person does.
 */
import { atOnce, later } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Facts } from "../facts.ts";
import type { Job } from "../job.ts";
import { ciBegunAt, isCancelled, openRuns } from "../merge-verdict.ts";
import { NO_CHECKS_LIMIT_MS } from "../next-timer.ts";
import type { Reason } from "../reason.ts";
import { isOnTheirs } from "../target.ts";

/** Each costs a write, and the repository its minutes. */
const MOST_RERUN = 5;
/** The end of a run that begins anew is an event; this is for one that GitHub did not begin. */
const LOOK_AFTER_MS = 60_000;

/** How often such checks are looked at, for half an hour; after that as often as all jobs are. */
const SILENT_MS = 2 * 60_000;

export interface Waiting {
  readonly job: Job;
  readonly effects: readonly WantedEffect[];
}

const look = (at: number): WantedEffect => later({ type: "read-facts", runs: [] }, at);

/** Null: something else keeps the work waiting, or they were run again before. */
function rerunCancelled(job: Job, facts: Facts, work: Reason, now: number): Waiting | null {
  if (!isCancelled(work) || job.rerun_sha !== null) return null;
  const cancelled = facts.checks.filter(({ state, ours }) => state === "cancelled" && !ours);
  const runs = [...new Set(cancelled.flatMap(({ run_id }) => run_id ?? []))].slice(0, MOST_RERUN);
  if (runs.length === 0) return null;
  return {
    job: { ...job, rerun_sha: facts.head_sha },
    effects: [atOnce({ type: "rerun-checks", runs }), look(now + LOOK_AFTER_MS)],
  };
}

/** GitHub's event of a commit status names branches and no pull request, so a job on a person's branch does not hear of it. */
const hasSilentChecks = (job: Job, { checks }: Facts, now: number): boolean =>
  isOnTheirs(job) &&
  job.submitted_at !== null &&
  now < job.submitted_at + NO_CHECKS_LIMIT_MS &&
  checks.some(({ state, ours, run_id }) => state === "pending" && !ours && run_id === undefined);

/** What is done while the verdict on the work is to wait. */
export function whileWaiting(job: Job, facts: Facts, work: Reason, now: number): Waiting {
  if (work.verdict !== "wait") return { job, effects: [] };
  const again = rerunCancelled(job, facts, work, now);
  if (again !== null) return again;
  const begun = openRuns(facts, job).length === 0 ? ciBegunAt(facts, job, now) : null;
  const at = begun ?? (hasSilentChecks(job, facts, now) ? now + SILENT_MS : null);
  return { job, effects: at === null ? [] : [look(at)] };
}
