/**
 * Takes over a pull request that a worker opened in place of one of the App's. To reject somebody else's work, it must
 * be by the worker or from the job's own branch, and not be older than the acceptance.
 */
import { isAccount } from "../../domain/job/account.ts";
import { type Job, jobOfBranch, workerOf } from "../../domain/job/job.ts";
import type { Task } from "./task.ts";

/** Tolerance for the difference between GitHub's clock and ours. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

export type Adopted =
  | { readonly number: number; readonly url: string; readonly head_sha: string }
  | { readonly sentence: string };

interface Seen {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly created_at: string;
  readonly user: { readonly login: string; readonly id: number } | null;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: { readonly id: number } | null };
  readonly base: { readonly ref: string; readonly repo: { readonly id: number } };
}

const isTheirs = (job: Job, pull: Seen, author: string | null): boolean => {
  const own_branch = pull.head.ref === job.branch && pull.head.repo?.id === pull.base.repo.id;
  const worker = workerOf(job);
  return own_branch || (worker !== null && isAccount(author, worker.account));
};

/** `author`: the account of the pull request's author; null when there is none. */
function objection(job: Job, pull: Seen, author: string | null): string | null {
  const named = `Pull request #${pull.number}`;
  const owner = pull.head.repo?.id === pull.base.repo.id ? jobOfBranch(pull.head.ref) : null;
  if (owner !== null && owner !== job.id) return `${named} is from another job's branch.`;
  if (pull.state !== "open") return `${named} is not open; open it and submit again.`;
  if (job.base.branch !== null && pull.base.ref !== job.base.branch)
    return `${named} targets ${pull.base.ref}, but the job targets ${job.base.branch}.`;
  if (Date.parse(pull.created_at) + CLOCKS_DIFFER_MS < (job.accepted_at ?? 0))
    return `${named} was opened before the job was accepted; open a new one.`;
  if (!isTheirs(job, pull, author))
    return `${named} is neither by the worker's account nor from the branch ${job.branch}.`;
  return null;
}

/** Throws what Octokit throws. */
export async function adoptPullRequest({ octokit, at, job, accountOf }: Task, pull_number: number): Promise<Adopted> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", { ...at, pull_number });
  const sentence = objection(job, data, data.user === null ? null : await accountOf(data.user));
  return sentence === null ? { number: data.number, url: data.html_url, head_sha: data.head.sha } : { sentence };
}
