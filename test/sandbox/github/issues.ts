/** Changes to issues and their comments, and the events that follow. */
import { emit, trigger } from "./events.ts";
import type { Cause, Comment, Issue, Json, Reaction, Repository, User } from "./model.ts";
import { commentJson, issueJson, labelJson } from "./payloads-issues.ts";
import type { World } from "./world.ts";

export function nextNumber(repository: Repository): number {
  return Math.max(0, ...repository.issues.keys()) + 1;
}

export function newIssue(
  world: World,
  repository: Repository,
  input: { title: string; body: string | null; labels?: readonly string[] },
  cause: Cause,
): Issue {
  const now = world.now();
  const issue: Issue = {
    id: world.state.nextId(),
    number: nextNumber(repository),
    user: cause.user,
    appId: cause.appId,
    title: input.title,
    body: input.body,
    state: "open",
    stateReason: null,
    locked: false,
    labels: [],
    assignees: [],
    createdAt: now,
    updatedAt: now,
    closedAt: undefined,
    comments: [],
    reactions: [],
    pull: undefined,
  };
  repository.issues.set(issue.number, issue);
  for (const label of input.labels ?? []) issue.labels.push(ensureLabel(world, repository, label));
  return issue;
}

export function openIssue(
  world: World,
  repository: Repository,
  input: { title: string; body: string | null; labels?: readonly string[] },
  cause: Cause,
): Issue {
  const issue = newIssue(world, repository, input, cause);
  world.feed.tell("issue", repository, `issue #${issue.number} opened by ${cause.user.login}: ${issue.title}`);
  issueEvent(world, repository, issue, "opened", cause);
  for (const name of issue.labels)
    issueEvent(world, repository, issue, "labeled", cause, { label: labelJson(world, repository, name) });
  return issue;
}

/** `issues` for an issue; changes of a pull request send `pull_request` (see `pulls.ts`). */
function issueEvent(world: World, repository: Repository, issue: Issue, action: string, cause: Cause, more: Json = {}) {
  const event = issue.pull ? "pull_request" : "issues";
  if (event === "issues")
    emit(world, repository, event, cause, { action, issue: issueJson(world, repository, issue), ...more });
}

export function editIssue(
  world: World,
  repository: Repository,
  issue: Issue,
  change: { title?: string | undefined; body?: string | null | undefined },
  cause: Cause,
): void {
  const changes: Json = {};
  if (change.title !== undefined && change.title !== issue.title) changes.title = { from: issue.title };
  if (change.body !== undefined && change.body !== issue.body) changes.body = { from: issue.body ?? "" };
  issue.title = change.title ?? issue.title;
  if (change.body !== undefined) issue.body = change.body;
  issue.updatedAt = world.now();
  if (Object.keys(changes).length > 0) issueEvent(world, repository, issue, "edited", cause, { changes });
}

export function setIssueState(
  world: World,
  repository: Repository,
  issue: Issue,
  state: "open" | "closed",
  cause: Cause,
  reason?: string | null,
): void {
  if (issue.state === state) return;
  issue.state = state;
  issue.stateReason = state === "open" ? "reopened" : (reason ?? "completed");
  issue.updatedAt = world.now();
  issue.closedAt = state === "closed" ? issue.updatedAt : undefined;
  if (!issue.pull)
    world.feed.tell("issue", repository, `issue #${issue.number} ${state === "open" ? "reopened" : "closed"}`);
  issueEvent(world, repository, issue, state === "open" ? "reopened" : "closed", cause);
}

export function ensureLabel(world: World, repository: Repository, name: string, color = "ededed"): string {
  const known = repository.labels.get(name.toLowerCase());
  if (known) return known.name;
  repository.labels.set(name.toLowerCase(), { id: world.state.nextId(), name, color, description: null });
  return name;
}

export function addLabels(
  world: World,
  repository: Repository,
  issue: Issue,
  names: readonly string[],
  cause: Cause,
  onPull: (action: string, more: Json) => void,
): void {
  for (const given of names) {
    const name = ensureLabel(world, repository, given);
    if (issue.labels.includes(name)) continue;
    issue.labels.push(name);
    issue.updatedAt = world.now();
    world.feed.tell("label", repository, `label ${name} on #${issue.number}`);
    const more = { label: labelJson(world, repository, name) };
    if (issue.pull) onPull("labeled", more);
    else issueEvent(world, repository, issue, "labeled", cause, more);
  }
}

export function removeLabel(
  world: World,
  repository: Repository,
  issue: Issue,
  name: string,
  cause: Cause,
  onPull: (action: string, more: Json) => void,
): boolean {
  const found = issue.labels.find((label) => label.toLowerCase() === name.toLowerCase());
  if (!found) return false;
  issue.labels = issue.labels.filter((label) => label !== found);
  const more = { label: labelJson(world, repository, found) };
  if (issue.pull) onPull("unlabeled", more);
  else issueEvent(world, repository, issue, "unlabeled", cause, more);
  return true;
}

export function addComment(world: World, repository: Repository, issue: Issue, body: string, cause: Cause): Comment {
  const now = world.now();
  const comment: Comment = {
    id: world.state.nextId(),
    issueNumber: issue.number,
    user: cause.user,
    appId: cause.appId,
    body,
    createdAt: now,
    updatedAt: now,
    minimized: undefined,
    reactions: [],
  };
  issue.comments.push(comment);
  issue.updatedAt = now;
  world.feed.tell("comment", repository, `${cause.user.login} on #${issue.number}: ${firstLine(body)}`);
  const payload = commentEvent(world, repository, issue, comment, "created", cause);
  triggerComment(world, repository, payload, cause);
  return comment;
}

export function editComment(
  world: World,
  repository: Repository,
  { issue, comment, body }: { issue: Issue; comment: Comment; body: string },
  cause: Cause,
): void {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = world.now();
  world.feed.tell(
    "comment",
    repository,
    `${cause.user.login} edited a comment on #${issue.number}: ${firstLine(body)}`,
  );
  commentEvent(world, repository, issue, comment, "edited", cause, { changes: { body: { from } } });
}

export function deleteComment(
  world: World,
  repository: Repository,
  issue: Issue,
  comment: Comment,
  cause: Cause,
): void {
  issue.comments.splice(issue.comments.indexOf(comment), 1);
  commentEvent(world, repository, issue, comment, "deleted", cause);
}

export function findComment(repository: Repository, id: number): { issue: Issue; comment: Comment } | undefined {
  for (const issue of repository.issues.values()) {
    const comment = issue.comments.find((candidate) => candidate.id === id);
    if (comment) return { issue, comment };
  }
  return undefined;
}

/** 201 for a new reaction, 200 when it already existed. */
export function react(
  world: World,
  reactions: Reaction[],
  content: string,
  user: User,
): { reaction: Reaction; isNew: boolean } {
  const known = reactions.find((reaction) => reaction.content === content && reaction.user.id === user.id);
  if (known) return { reaction: known, isNew: false };
  const reaction: Reaction = { id: world.state.nextId(), content, user, createdAt: world.now() };
  reactions.push(reaction);
  return { reaction, isNew: true };
}

function commentEvent(
  world: World,
  repository: Repository,
  issue: Issue,
  comment: Comment,
  action: string,
  cause: Cause,
  more: Json = {},
): Json {
  return emit(world, repository, "issue_comment", cause, {
    action,
    // GitHub counts a new comment after it has told of it (github-facts 15.5)
    issue: {
      ...issueJson(world, repository, issue),
      comments: issue.comments.length - (action === "created" ? 1 : 0),
    },
    comment: commentJson(world, repository, issue, comment),
    ...more,
  });
}

function triggerComment(world: World, repository: Repository, payload: Json, cause: Cause): void {
  const sha = repository.git.branch(repository.defaultBranch);
  if (sha === undefined) return;
  trigger(world, {
    event: "issue_comment",
    action: "created",
    repository: { owner: repository.owner.login, name: repository.name },
    sha,
    ref: `refs/heads/${repository.defaultBranch}`,
    headBranch: repository.defaultBranch,
    headSha: sha,
    actor: cause.user.login,
    byWorkflowToken: cause.byWorkflowToken,
    payload,
  });
}

const FEED_TEXT = 100;
/** The first visible line; hidden markers are skipped. */
export const firstLine = (text: string): string =>
  (
    text
      .replace(/<!--[\s\S]*?-->/g, "")
      .split("\n")
      .find((line) => line.trim() !== "") ?? ""
  )
    .trim()
    .slice(0, FEED_TEXT);
