/** Whether GitHub was told to merge the pull request by itself, and how that is taken back. */
import { atOnce } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Job } from "../job.ts";

export const WAITING = { state: "waiting", refusals: 0 } as const;

export const isLeftToGitHub = ({ merge }: Pick<Job, "merge">): boolean =>
  merge.state === "auto" || merge.state === "queued";

/** GitHub would go on to merge by itself what was never judged, or what we no longer stand for. */
export const takeBack = (job: Job): WantedEffect[] =>
  isLeftToGitHub(job) ? [atOnce({ type: "disable-auto-merge" })] : [];
