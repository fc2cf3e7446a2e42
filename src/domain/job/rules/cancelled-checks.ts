/**
 * Rules for checks that were cancelled or have become stale: nobody has decided, so they neither fail an attempt nor let
 * anything merge. Where nothing else is missing, the App runs them again, once in an attempt; after that a person does.
 */
import { atOnce, later } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Facts } from "../facts.ts";
import type { Job } from "../job.ts";
import { isCancelled } from "../merge-verdict.ts";
import type { Reason } from "../reason.ts";

/** Each costs a write, and the repository its minutes. */
const MOST_RERUN = 5;
/** The end of a run that begins anew is an event; this is for one that GitHub did not begin. */
const LOOK_AFTER_MS = 60_000;

export interface Rerun {
  readonly job: Job;
  readonly effects: readonly WantedEffect[];
}

/** Null: something else keeps the work waiting, or they were run again before. */
export function rerunCancelled(job: Job, facts: Facts, work: Reason, now: number): Rerun | null {
  if (!isCancelled(work) || job.rerun_sha !== null) return null;
  const cancelled = facts.checks.filter(({ state, ours }) => state === "cancelled" && !ours);
  const runs = [...new Set(cancelled.flatMap(({ run_id }) => run_id ?? []))].slice(0, MOST_RERUN);
  if (runs.length === 0) return null;
  return {
    job: { ...job, rerun_sha: facts.head_sha },
    effects: [atOnce({ type: "rerun-checks", runs }), later({ type: "read-facts", runs: [] }, now + LOOK_AFTER_MS)],
  };
}
