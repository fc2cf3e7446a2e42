/**
 * Decides whether a pending effect is still wanted. A job may be cancelled, merged or sent into another round before
 * the effect is performed; the effect is then dropped.
 */
import type { Effect } from "./effect.ts";
import { heldFiles, isAtRest, isFinal, isOnActions, isOnMarket, type Job, judgedSha, type Run, runOf } from "./job.ts";
import { isOnTheirBranch, isOnTheirs } from "./target.ts";
import { isUnbegun } from "./unbegun.ts";

const isThisAttempt = (effect: { readonly round: number; readonly attempt: number }, job: Job): boolean =>
  job.status === "submitted" && effect.round === job.round && effect.attempt === job.attempt;

const isUnderWay = (run: Run | null): boolean => run !== null && run.status !== "completed";

/** Its pull request may still change what becomes of it. */
const isUnsettled = ({ merged_at, status, merge }: Job): boolean =>
  merged_at === null &&
  (status === "submitted" || status === "waiting_for_user" || (status === "verified" && merge.state !== "off"));

/** Nobody works on it, and it is neither merged nor given up. */
const isLeftToPerson = (job: Job): boolean =>
  job.merged_at === null && job.status !== "cancelled" && (job.status === "submitted" || isAtRest(job.status));

/** The work is in a pull request, where checks judge it. */
const isReadable = (job: Job): boolean =>
  job.pull_request !== null && heldFiles(job) === null && (!isOnTheirs(job) || isOnTheirBranch(job));

const isToJudge = (effect: Extract<Effect, { type: "judge" }>, job: Job): boolean =>
  isOnMarket(job) &&
  isUnsettled(job) &&
  effect.round === job.round &&
  effect.attempt === job.attempt &&
  effect.sha === judgedSha(job) &&
  job.work.judgement?.sha !== effect.sha;

/** How the pull request is to come home while these are wanted. */
const MERGE_STATE = { merge: "merging", "enable-auto-merge": "auto", enqueue: "queued" } as const;

/** A person's pull request is neither merged, updated nor closed by us, and has none of ours beside it. */
const NEVER_ON_THEIRS: ReadonlySet<Effect["type"]> = new Set([
  ...(["open-pull-request", "triage-pull-request", "update-branch"] as const),
  ...(["close-pull-request", "expire-pull-request"] as const),
  ...(["merge", "enqueue", "enable-auto-merge", "disable-auto-merge"] as const),
]);

export const isWanted = (effect: Effect, job: Job): boolean =>
  !(isOnTheirs(job) && NEVER_ON_THEIRS.has(effect.type)) && isWantedAtStage(effect, job);

function isWantedAtStage(effect: Effect, job: Job): boolean {
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
    case "push-to-pull-request":
      return isThisAttempt(effect, job) && isOnTheirs(job) && !isOnTheirBranch(job);
    case "rerun-checks":
      return job.merged_at === null && (job.status === "submitted" || job.status === "verified");
    case "read-facts":
      return isReadable(job) && isUnsettled(job);
    case "judge":
      return isToJudge(effect, job);
    case "merge":
    case "enable-auto-merge":
    case "enqueue":
      return job.merged_at === null && job.merge.state === MERGE_STATE[effect.type] && job.merge.sha === effect.sha;
    case "triage-pull-request":
      return job.pull_request !== null && job.merged_at === null;
    case "update-branch":
      return job.merged_at === null && job.catch_up.updating?.sha === effect.sha && job.head_sha === effect.sha;
    case "show-progress":
      return job.status === "accepted" && job.head_sha !== null && isUnderWay(runOf(job));
    case "show-place":
      return job.line !== null && job.comment !== null;
    case "read-run":
      return job.status === "queued" || job.status === "accepted" || (isOnActions(job) && isUnbegun(job));
    case "close-pull-request":
      return job.merged_at === null;
    case "expire-pull-request":
      return job.expiry !== null && job.expiry.warned_at !== null;
    case "mention-requester":
      return job.round === effect.round && isLeftToPerson(job);
    case "delete-branch":
      return isFinal(job.status);
    case "react":
    case "answer-reviews":
    case "resolve-threads":
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
  // which leads there
  "sync-comment": ["mention-requester"],
};

export const waitsFor = (effect: Effect, others: readonly Effect[]): boolean =>
  others.some((other) => FIRST[effect.type]?.includes(other.type) === true);
