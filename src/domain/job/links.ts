/** The addresses of GitHub's pages about a job, made from what GitHub has sent of it. */
import { fullName, issueOf, type Job, runOf } from "./job.ts";

/**
 * The repository's web address, taken from a URL that GitHub sent, or else below `web_url`, where GitHub's pages are; null
 * when neither is known.
 */
export function webOf(job: Job, web_url: string | null = null): string | null {
  const given = job.pull_request?.url ?? runOf(job)?.url;
  const own = given?.match(/^(https?:\/\/.+?)\/(?:pull|actions)\/[\w/]+$/)?.[1];
  return own ?? (web_url === null ? null : `${web_url}/${fullName(job.repository)}`);
}

/** The page of the job's run, or of all runs of its branch while none is known. */
export function runsUrl(job: Job, web_url: string | null): string | undefined {
  const web = webOf(job, web_url);
  const ofBranch = web === null ? undefined : `${web}/actions?query=${encodeURIComponent(`branch:${job.branch}`)}`;
  return runOf(job)?.url ?? ofBranch;
}

/** Where a person can write an answer: the comment box of the pull request, else of the issue; null: there is neither. */
export function answerUrl(job: Job): string | null {
  const web = webOf(job);
  const issue = issueOf(job.origin);
  const page = job.pull_request?.url ?? (web === null || issue === null ? null : `${web}/issues/${issue}`);
  return page === null ? null : `${page}#issue-comment-box`;
}

/** The issue or pull request in which the job was asked for, at the job's comment once there is one; null: there is none. */
export function issueUrl(job: Job, web_url: string): string | null {
  const issue = issueOf(job.origin);
  if (issue === null) return null;
  const page = `${webOf(job, web_url)}/issues/${issue}`;
  return job.comment === null ? page : `${page}#issuecomment-${job.comment.id}`;
}
