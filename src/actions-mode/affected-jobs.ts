/**
 * Finds the jobs that an event concerns, so that they can be restored first. A marker in a comment is only a hint: the
 * job's state is on the state branch, and the engine still checks who may command.
 */

import type { EventIssue, GitHubEvent } from "../domain/job/github-event.ts";
import { asJobId, type JobId, jobOfBranch, type Repository } from "../domain/job/job.ts";
import type { GitHubClient, Permitted } from "../engine/ports/github.ts";
import { type AppIdentity, botLogin, sameLogin } from "../github/client/app-identity.ts";
import type { Octokit } from "../github/client/octokit.ts";

export interface SearchParts {
  readonly octokit: Octokit;
  readonly githubClient: Pick<GitHubClient, "permission" | "pullRequest">;
  readonly self: AppIdentity;
  /** The job that this very event may have asked for already. */
  readonly own: JobId;
}

const PAGE = 100;
/** Pages of an issue's comments that are looked through. */
const MAX_PAGES = 10;
/** Jobs of one issue that are brought back, the newest. */
const MAX_JOBS = 20;
/** Pull requests of one event that are looked at; more have one head as a rule. */
const MAX_PULLS = 3;
const MARKER = /<!-- journeyman:job:([a-z0-9]{8}) -->/g;

const mayCommand = ({ permission }: Permitted): boolean => permission === "admin" || permission === "write";

/** Jobs named in our own comments on an issue or pull request, oldest first. */
async function markedIn({ octokit, self }: SearchParts, at: Repository, issue: number): Promise<JobId[]> {
  const ids = new Set<JobId>();
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      owner: at.owner,
      repo: at.name,
      issue_number: issue,
      per_page: PAGE,
      page,
    });
    for (const { body, user } of data) {
      if (!sameLogin(user?.login, botLogin(self))) continue;
      for (const [, text = ""] of (body ?? "").matchAll(MARKER)) {
        const id = asJobId(text);
        if (id !== null) ids.add(id);
      }
    }
    if (data.length < PAGE) break;
  }
  return [...ids].slice(-MAX_JOBS);
}

/** The job whose branch a pull request of this repository brings. */
async function ofPullRequest({ githubClient }: SearchParts, at: Repository, issue: EventIssue): Promise<JobId[]> {
  if (!issue.is_pull_request) return [];
  const { head_branch, from_fork } = await githubClient.pullRequest(at, issue.number);
  const id = from_fork ? null : jobOfBranch(head_branch);
  return id === null ? [] : [id];
}

/** The job that a command names, which may be of another issue. */
const named = (event: Extract<GitHubEvent, { type: "slash" | "label" }>): JobId[] =>
  event.type === "slash" && "job" in event.command && event.command.job !== undefined ? [event.command.job] : [];

export async function affectedJobs(parts: SearchParts, event: GitHubEvent, at: Repository): Promise<readonly JobId[]> {
  switch (event.type) {
    case "news":
    case "review":
    case "button":
      return [event.job];
    case "slash":
    case "label": {
      // for somebody who may not ask nothing is looked up: the engine turns them away
      if (!mayCommand(await parts.githubClient.permission(at, event.author))) return [];
      const marked = await markedIn(parts, at, event.issue.number);
      return [...new Set([parts.own, ...marked, ...(await ofPullRequest(parts, at, event.issue)), ...named(event)])];
    }
    case "default-branch-moved":
    case "set-up-changed":
    case "branch-moved":
    case "files-pushed":
    case "repositories-changed":
    case "uninstalled":
    case "trigger-news":
      return [];
    // a person's pull request that a job may work on
    case "pull-news": {
      const marked = event.numbers.slice(0, MAX_PULLS).map((number) => markedIn(parts, at, number));
      return (await Promise.all(marked)).flat();
    }
    default:
      return event satisfies never;
  }
}
