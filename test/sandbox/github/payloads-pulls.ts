/** JSON of pull requests, the same in REST answers and webhooks. */

import { mergeableOf, mergeableState } from "./mergeability.ts";
import type { Json, Repository } from "./model.ts";
import { repoApi, repoHtml, repositoryJson, userJson } from "./payloads.ts";
import { association, labelJson } from "./payloads-issues.ts";
import { hasPull, type PullIssue } from "./state.ts";
import { iso, isoOrNull, type World } from "./world.ts";

/** The short form, as in lists. */
export function pullSummaryJson(world: World, repository: Repository, issue: PullIssue): Json {
  const { pull } = issue;
  const url = `${repoApi(world, repository)}/pulls/${issue.number}`;
  const html = `${repoHtml(world, repository)}/pull/${issue.number}`;
  const issueUrl = `${repoApi(world, repository)}/issues/${issue.number}`;
  const links = {
    self: url,
    html,
    issue: issueUrl,
    comments: `${issueUrl}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${url}/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${repoApi(world, repository)}/statuses/${pull.headSha}`,
  };
  return {
    id: pull.id,
    node_id: `PR_${pull.id}`,
    number: issue.number,
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issueUrl,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    state: issue.state,
    locked: issue.locked,
    title: issue.title,
    user: userJson(world, issue.user),
    body: issue.body,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    merged_at: isoOrNull(pull.mergedAt),
    merge_commit_sha: pull.mergeCommitSha ?? null,
    assignee: issue.assignees[0] ? userJson(world, issue.assignees[0]) : null,
    assignees: issue.assignees.map((user) => userJson(world, user)),
    requested_reviewers: pull.requestedReviewers.map((user) => userJson(world, user)),
    requested_teams: [],
    labels: issue.labels.map((name) => labelJson(world, repository, name)),
    milestone: null,
    draft: pull.draft,
    ...endsJson(world, repository, issue),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: association(repository, issue.user),
    auto_merge: autoMergeJson(world, issue),
    active_lock_reason: null,
  };
}

/** Head and base. */
function endsJson(world: World, repository: Repository, { pull }: PullIssue): Json {
  const headOwner = pull.fork ?? repository.owner;
  return {
    head: {
      label: `${headOwner.login}:${pull.headRef}`,
      ref: pull.headRef,
      sha: pull.headSha,
      user: userJson(world, headOwner),
      repo: pull.fork ? forkJson(world, repository, pull.fork.login) : repositoryJson(world, repository),
    },
    base: {
      label: `${repository.owner.login}:${pull.baseRef}`,
      ref: pull.baseRef,
      sha: pull.baseSha,
      user: userJson(world, repository.owner),
      repo: repositoryJson(world, repository),
    },
  };
}

function autoMergeJson(world: World, { pull: { autoMerge } }: PullIssue): Json | null {
  if (!autoMerge) return null;
  return {
    enabled_by: userJson(world, autoMerge.cause.user),
    merge_method: autoMerge.method,
    commit_title: autoMerge.headline ?? null,
    commit_message: autoMerge.body ?? null,
  };
}

function forkJson(world: World, repository: Repository, login: string): Json {
  const owner = world.state.ensureUser(login);
  const name = `${login}/${repository.name}`;
  return {
    ...repositoryJson(world, repository),
    id: repository.id + 5_000_000,
    node_id: `R_${repository.id + 5_000_000}`,
    full_name: name,
    owner: userJson(world, owner),
    fork: true,
    url: `${world.apiUrl}/repos/${name}`,
    html_url: `${world.url}/${name}`,
  };
}

/** The long form: one pull request with git's facts about it. */
export function pullJson(world: World, repository: Repository, issue: PullIssue): Json {
  const { pull } = issue;
  const commits = repository.git.between(pull.baseSha, pull.headSha);
  const changes = repository.git.changes(pull.baseSha, pull.headSha);
  return {
    ...pullSummaryJson(world, repository, issue),
    merged: pull.merged,
    mergeable: pull.merged ? null : mergeableOf(repository, issue),
    rebaseable: pull.merged ? null : mergeableOf(repository, issue),
    mergeable_state: mergeableState(repository, issue),
    merged_by: pull.mergedBy ? userJson(world, pull.mergedBy) : null,
    comments: issue.comments.length,
    review_comments: pull.reviews.flatMap(({ comments }) => comments).length,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: commits.length,
    additions: pull.lines?.additions ?? 0,
    deletions: pull.lines?.deletions ?? 0,
    changed_files: changes.added.length + changes.modified.length + changes.removed.length,
  };
}

/** Open pull requests of a head, as check and run payloads list them. */
export function minimalPulls(world: World, repository: Repository, headSha: string): Json[] {
  const small = { id: repository.id, url: repoApi(world, repository), name: repository.name };
  return [...repository.issues.values()]
    .filter(hasPull)
    .filter((issue) => issue.state === "open" && issue.pull.headSha === headSha && !issue.pull.fork)
    .map((issue) => ({
      id: issue.pull.id,
      number: issue.number,
      url: `${small.url}/pulls/${issue.number}`,
      head: { ref: issue.pull.headRef, sha: issue.pull.headSha, repo: small },
      base: { ref: issue.pull.baseRef, sha: issue.pull.baseSha, repo: small },
    }));
}
