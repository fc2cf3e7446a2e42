/**
 * Decides whether a pending effect is still wanted. A job may be cancelled, merged or sent into another round before
 * the effect is performed; the effect is then dropped.
 */
import type { Effect } from "./effect.ts";
import { heldFiles, isFinal, isOnMarket, type Job, judgedSha, type Run, runOf } from "./job.ts";

const isThisAttempt = (effect: { readonly round: number; readonly attempt: number }, job: Job): boolean =>
  job.status === "submitted" && effect.round === job.round && effect.attempt === job.attempt;

const isUnderWay = (run: Run | null): boolean => run !== null && run.status !== "completed";

export function isWanted(effect: Effect, job: Job): boolean {
  switch (effect.type) {
    case "push-brief":
      return (
        !isFinal(job.status) && effect.round === job.round && effect.attempt === job.attempt && job.brief_sha === null
      );
    case "read-result":
      return (
        job.status === "accepted" &&
        effect.round === job.round &&
        effect.attempt === job.attempt &&
        // begun again meanwhile: the end of that is read
        (isOnMarket(job) || runOf(job)?.status === "completed")
      );
    case "show-files":
      return isThisAttempt(effect, job) && heldFiles(job)?.sha === null;
    case "deliver-files":
      return isThisAttempt(effect, job) && heldFiles(job) === null;
    case "open-pull-request":
      return job.status === "submitted" && effect.round === job.round && heldFiles(job) === null;
    case "rerun-checks":
      return job.merged_at === null && (job.status === "submitted" || job.status === "verified");
    case "read-facts":
      return (
        job.pull_request !== null &&
        heldFiles(job) === null &&
        job.merged_at === null &&
        (job.status === "submitted" ||
          job.status === "waiting_for_user" ||
          (job.status === "verified" && job.merge.state !== "off"))
      );
    case "judge":
      return (
        isOnMarket(job) &&
        job.merged_at === null &&
        (job.status === "submitted" || (job.status === "verified" && job.merge.state !== "off")) &&
        effect.round === job.round &&
        effect.attempt === job.attempt &&
        effect.sha === judgedSha(job) &&
        job.work.judgement?.sha !== effect.sha
      );
    case "merge":
      return job.merged_at === null && job.merge.state === "merging" && job.merge.sha === effect.sha;
    case "enable-auto-merge":
      return job.merged_at === null && job.merge.state === "auto" && job.merge.sha === effect.sha;
    case "enqueue":
      return job.merged_at === null && job.merge.state === "queued" && job.merge.sha === effect.sha;
    case "show-progress":
      return job.status === "accepted" && job.head_sha !== null && isUnderWay(runOf(job));
    case "read-run":
      return job.status === "queued" || job.status === "accepted";
    case "close-pull-request":
      return job.merged_at === null;
    case "delete-branch":
      return isFinal(job.status);
    case "react":
    case "answer-reviews":
    case "sync-comment":
    case "sync-check":
    case "cancel-run":
    case "announce":
      return true;
    case "disable-auto-merge":
      return job.merged_at === null && job.merge.state !== "auto" && job.merge.state !== "queued";
    default:
      return effect satisfies never;
  }
}

/**
 * Must it wait for another that is still to be done? Nothing is pushed while GitHub would merge it by itself; what a
 * worker hands in needs the branch, and its pull request the files.
 */
const FIRST: Readonly<Partial<Record<Effect["type"], readonly Effect["type"][]>>> = {
  "push-brief": ["disable-auto-merge"],
  "show-files": ["push-brief"],
  "deliver-files": ["push-brief"],
  "open-pull-request": ["push-brief", "deliver-files"],
};

export const waitsFor = (effect: Effect, others: readonly Effect[]): boolean =>
  others.some((other) => FIRST[effect.type]?.includes(other.type) === true);
