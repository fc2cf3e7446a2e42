/**
 * Decides whether a workflow run may act for a job, by comparing its token's claims with the run that the job knows.
 * Fails closed; the run learns only whether to retry, stop, or that the job is not its own. Pure.
 */
import { WORKFLOW_FILE } from "../../contracts/brief.ts";
import { actionsWork, branchOf, isFinal, isOnActions, type Job, type Run, runOf } from "./job.ts";

/** Of GitHub's OIDC token of a workflow, once its signature, issuer, audience and time are found right. */
export interface RunClaims {
  readonly repository_id: number;
  readonly ref: string;
  readonly run_id: number;
  readonly run_attempt: number;
  /** File and ref of the workflow, and of the one that its job is written in. */
  readonly workflow_ref: string;
  readonly job_workflow_ref: string;
  readonly event_name: string;
}

/** `not_yet`: the webhook that tells of the run may still be on its way. */
export type RunAuthorization = "ours" | "not_yet" | "over" | "foreign";

const EVENTS: readonly string[] = ["push", "workflow_dispatch"];

/** Is it a run of our workflow, on this job's own branch? `repository_id`: of the job's repository. */
function isOfJob(job: Job, repository_id: number, claims: RunClaims): boolean {
  const ref = `refs/heads/${branchOf(job.id)}`;
  const file = `/${WORKFLOW_FILE}@${ref}`;
  return (
    isOnActions(job) &&
    claims.repository_id === repository_id &&
    claims.ref === ref &&
    EVENTS.includes(claims.event_name) &&
    claims.workflow_ref.endsWith(file) &&
    // a called workflow would bring steps from elsewhere under our name
    claims.job_workflow_ref.endsWith(file)
  );
}

type RunName = Pick<Run, "id" | "attempt">;

/** How this run stands to the job's current attempt. */
export function runAuthorizationOf(job: Job, run: RunName): Exclude<RunAuthorization, "foreign"> | "unknown" {
  const known = runOf(job);
  if (actionsWork(job)?.past_runs.includes(run.id)) return "over";
  if (known?.id === run.id && run.attempt < known.attempt) return "over";
  const again = known?.id === run.id && run.attempt > known.attempt;
  // a failed job treats a re-run of its run as a further round, as soon as it learns of it
  if (isFinal(job.status)) return again && job.status === "failed" ? "not_yet" : "over";
  if (job.status === "queued") return known === null || known.id === run.id ? "not_yet" : "unknown";
  if (job.status !== "accepted") return "over";
  if (known === null || known.id !== run.id) return "unknown";
  if (again) return "not_yet";
  return known.status === "completed" ? "over" : "ours";
}

/** May whoever brings these claims speak for the job? */
export function runAuthorizationBy(job: Job, repository_id: number, claims: RunClaims): RunAuthorization {
  if (!isOfJob(job, repository_id, claims)) return "foreign";
  const standing = runAuthorizationOf(job, { id: claims.run_id, attempt: claims.run_attempt });
  return standing === "unknown" ? "foreign" : standing;
}
