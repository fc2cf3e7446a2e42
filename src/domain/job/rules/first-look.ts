/** The first look at a commit of a pull request that is not caused by an event. */
import { later } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Job } from "../job.ts";

/** What keeps a pull request from being merged, and no event tells of, is named within ten seconds. */
const FIRST_LOOK_MS = 5_000;
/** The end of CI that is known to run is an event, so most looks before it would be needless. */
const WITH_CI_MS = 60_000;

/** Runs at the head that webhooks told of, and not of their end. */
export const incomplete = (job: Job): number[] =>
  job.ci_runs.filter((run) => run.sha === job.head_sha && !run.complete).map((run) => run.id);

/** The events of checks come first as a rule; this is for a conflict, and for checks that are lost or will never be. */
export function firstLook(job: Job, seen_at: number): WantedEffect {
  const wait_ms = incomplete(job).length > 0 ? WITH_CI_MS : FIRST_LOOK_MS;
  return later({ type: "read-facts", runs: [] }, seen_at + wait_ms);
}

/** The look that is still to come; null: there was one. */
export const nextFirstLook = (job: Job, now: number): WantedEffect | null =>
  job.status === "submitted" && job.head_seen_at !== null && now < job.head_seen_at + FIRST_LOOK_MS
    ? firstLook(job, job.head_seen_at)
    : null;
