/** JSON of issues, comments, reactions and reviews, the same in REST answers and webhooks. */
import { roleOf } from "./access.ts";
import type { Comment, Issue, Json, Reaction, Repository, Review, ReviewComment, User } from "./model.ts";
import { appJson, repoApi, repoHtml, userJson } from "./payloads.ts";
import { iso, isoOrNull, type World } from "./world.ts";

const ASSOCIATION: Readonly<Record<string, string>> = {
  admin: "OWNER",
  maintain: "COLLABORATOR",
  write: "COLLABORATOR",
  triage: "COLLABORATOR",
};
export const association = (repository: Repository, user: User): string =>
  ASSOCIATION[roleOf(repository, user.login)] ?? "NONE";

export function labelJson(world: World, repository: Repository, name: string): Json {
  const label = repository.labels.get(name.toLowerCase());
  return {
    id: label?.id ?? 0,
    node_id: `LA_${label?.id ?? 0}`,
    url: `${repoApi(world, repository)}/labels/${encodeURIComponent(name)}`,
    name: label?.name ?? name,
    color: label?.color ?? "ededed",
    default: false,
    description: label?.description ?? null,
  };
}

export function reactionsJson(url: string, reactions: readonly Reaction[]): Json {
  const count = (content: string) => reactions.filter((reaction) => reaction.content === content).length;
  const kinds = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];
  return { url, total_count: reactions.length, ...Object.fromEntries(kinds.map((kind) => [kind, count(kind)])) };
}

export function issueJson(world: World, repository: Repository, issue: Issue): Json {
  const url = `${repoApi(world, repository)}/issues/${issue.number}`;
  const kind = issue.pull ? "pull" : "issues";
  const pullUrl = `${repoApi(world, repository)}/pulls/${issue.number}`;
  const html = `${repoHtml(world, repository)}/${kind}/${issue.number}`;
  return {
    id: issue.id,
    node_id: `${issue.pull ? "PR" : "I"}_${issue.pull?.id ?? issue.id}`,
    number: issue.number,
    title: issue.title,
    user: userJson(world, issue.user),
    url,
    repository_url: repoApi(world, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: html,
    labels: issue.labels.map((name) => labelJson(world, repository, name)),
    state: issue.state,
    state_reason: issue.stateReason,
    locked: issue.locked,
    assignee: issue.assignees[0] ? userJson(world, issue.assignees[0]) : null,
    assignees: issue.assignees.map((user) => userJson(world, user)),
    milestone: null,
    comments: issue.comments.length,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    author_association: association(repository, issue.user),
    active_lock_reason: null,
    body: issue.body,
    reactions: reactionsJson(`${url}/reactions`, issue.reactions),
    performed_via_github_app: issue.appId === undefined ? null : appJson(world),
    ...(issue.pull
      ? {
          draft: issue.pull.draft,
          pull_request: {
            url: pullUrl,
            html_url: html,
            diff_url: `${html}.diff`,
            patch_url: `${html}.patch`,
            merged_at: isoOrNull(issue.pull.mergedAt),
          },
        }
      : {}),
  };
}

export function commentJson(world: World, repository: Repository, issue: Issue, comment: Comment): Json {
  const url = `${repoApi(world, repository)}/issues/comments/${comment.id}`;
  const kind = issue.pull ? "pull" : "issues";
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url,
    html_url: `${repoHtml(world, repository)}/${kind}/${issue.number}#issuecomment-${comment.id}`,
    issue_url: `${repoApi(world, repository)}/issues/${issue.number}`,
    user: userJson(world, comment.user),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.updatedAt),
    author_association: association(repository, comment.user),
    body: comment.body,
    reactions: reactionsJson(`${url}/reactions`, comment.reactions),
    performed_via_github_app: comment.appId === undefined ? null : appJson(world),
  };
}

export function reviewJson(world: World, repository: Repository, number: number, review: Review): Json {
  const pull = `${repoApi(world, repository)}/pulls/${number}`;
  const html = `${repoHtml(world, repository)}/pull/${number}#pullrequestreview-${review.id}`;
  return {
    id: review.id,
    node_id: `PRR_${review.id}`,
    user: userJson(world, review.user),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pull,
    author_association: association(repository, review.user),
    submitted_at: iso(review.submittedAt),
    commit_id: review.commitId,
    _links: { html: { href: html }, pull_request: { href: pull } },
  };
}

export function reviewCommentJson(
  world: World,
  repository: Repository,
  number: number,
  review: Review,
  { id, path, startLine, line, replyTo, body, hunk, reactions }: ReviewComment,
): Json {
  const url = `${repoApi(world, repository)}/pulls/comments/${id}`;
  const pull = `${repoApi(world, repository)}/pulls/${number}`;
  const html = `${repoHtml(world, repository)}/pull/${number}#discussion_r${id}`;
  const at = iso(review.submittedAt);
  const place = {
    path,
    line,
    original_line: line,
    start_line: startLine,
    original_start_line: startLine,
    side: "RIGHT",
  };
  const position = hunk.split("\n").length - 1;
  return {
    id,
    node_id: `PRRC_${id}`,
    pull_request_review_id: review.id,
    url,
    html_url: html,
    pull_request_url: pull,
    diff_hunk: hunk,
    ...place,
    start_side: startLine === null ? null : "RIGHT",
    ...(replyTo === undefined ? {} : { in_reply_to_id: replyTo }),
    position,
    original_position: position,
    commit_id: review.commitId,
    original_commit_id: review.commitId,
    user: userJson(world, review.user),
    body,
    created_at: at,
    updated_at: at,
    author_association: association(repository, review.user),
    reactions: reactionsJson(`${url}/reactions`, reactions),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: pull } },
  };
}
