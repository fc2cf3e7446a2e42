/** Says in a person's pull request how far the job is that works on it, and what it has pushed there. */
import type { Job } from "../../domain/job/job.ts";
import { webOf } from "../../domain/job/links.ts";
import { isOnTheirBranch, theirs } from "../../domain/job/target.ts";
import { branchLink } from "./numbers.ts";
import { code, quoted } from "./plain.ts";
import { type State, state } from "./state.ts";

const MAX_BODY = 3_000;

/** What was pushed, and where; null: nothing was. */
function pushedLine(job: Job): string | null {
  const target = theirs(job);
  if (target === null || target.pushed_sha === null) return null;
  const { pushed_sha: sha, branch } = target;
  const web = webOf(job);
  const commit = web === null ? code(sha.slice(0, 10)) : `[${code(sha.slice(0, 10))}](${web}/commit/${sha})`;
  return `Commit ${commit} is on ${code(branch)}.`;
}

const said = (job: Job): string | null => (job.result?.body ? quoted(job.result.body, MAX_BODY) : null);

const LEFT = "Merging it is left to you.";

export const submitted = (job: Job, waits: string | null): State =>
  isOnTheirBranch(job)
    ? state("Pushed", pushedLine(job), said(job), waits ?? "Waits for its checks.")
    : state("Work done", "The work is done and is being pushed to this pull request's branch.");

export const verified = (job: Job): State =>
  isOnTheirBranch(job) && job.notice === null
    ? state("Fixed", `${pushedLine(job) ?? ""} Its checks are good. ${LEFT}`, said(job))
    : state("Done", pushedLine(job), said(job), LEFT);

export function failed(job: Job, checks: string | null): State {
  const kept = job.head_sha === null ? null : `The work of the last attempt is on ${branchLink(job)}.`;
  return state(
    "Failed",
    job.failure === null ? "The job failed." : `The job failed:\n\n${quoted(job.failure)}`,
    checks,
    pushedLine(job),
    kept,
    "`/job fix` begins anew, from this pull request's branch as it is then.",
  );
}
