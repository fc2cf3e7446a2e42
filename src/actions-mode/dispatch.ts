/**
 * Starts the run with workflow_dispatch, since a push by GITHUB_TOKEN starts no workflow (github-facts 1.1). Runs right
 * after the brief is pushed, and looks for an existing run first, so that a brief is never worked on twice.
 */

import type { Job } from "../domain/job/job.ts";
import type { Attempt } from "../engine/ports/performer.ts";
import { attempted, type GitHubError } from "../github/client/errors.ts";
import type { Octokit } from "../github/client/octokit.ts";
import { WORKFLOW_PATH } from "../github/effects/branch-state.ts";
import { laterOf } from "../github/effects/one-call.ts";

const FILE = WORKFLOW_PATH.slice(WORKFLOW_PATH.lastIndexOf("/") + 1);
const RUNS = 10;

const refusalOf = (githubError: GitHubError, job: Job): string | null => {
  switch (githubError.kind) {
    case "forbidden":
      return "The workflow that runs Journeyman may not start other workflows: give its job the permission `actions: write`.";
    case "gone":
      return `\`${WORKFLOW_PATH}\` is not on the default branch, or it is disabled: add it, enable it and ask again.`;
    case "invalid":
      return `\`${WORKFLOW_PATH}\` cannot be started on \`${job.branch}\`: bring it up to date, it needs the trigger \`workflow_dispatch\`.`;
    default:
      return null;
  }
};

async function hasRun(octokit: Octokit, job: Job, sha: string): Promise<boolean> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/actions/runs", {
    owner: job.repository.owner,
    repo: job.repository.name,
    branch: job.branch,
    head_sha: sha,
    per_page: RUNS,
  });
  return data.workflow_runs.some((run) => run.head_sha === sha && run.path.split("@")[0] === WORKFLOW_PATH);
}

/** The outcome of a push of the brief, with its run started where there was one. */
export async function startRun(octokit: Octokit, job: Job, pushed: Attempt, now: () => number): Promise<Attempt> {
  if (pushed.ended !== "done" || pushed.command?.type !== "brief-pushed") return pushed;
  const { head_sha, round, attempt } = pushed.command;
  const answer = await attempted(now, async () => {
    if (await hasRun(octokit, job, head_sha)) return;
    await octokit.request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
      owner: job.repository.owner,
      repo: job.repository.name,
      workflow_id: FILE,
      ref: job.branch,
    });
  });
  if (answer.ok) return pushed;
  const sentence = refusalOf(answer.githubError, job);
  if (sentence === null) return { ended: "later", ...laterOf(answer.githubError) };
  return { ended: "done", command: { type: "brief-refused", round, attempt, sentence } };
}
