/** Changes to pull requests except merging: opening, following the head, closing, reviews, and their events. */

import { emit, trigger } from "./events.ts";
import type { PatchedFile } from "./git-store.ts";
import { addLabels, newIssue, setIssueState } from "./issues.ts";
import { mergeableOf } from "./mergeability.ts";
import { mergedTree } from "./merging.ts";
import type { Cause, Json, Repository, User } from "./model.ts";
import { repositoryJson, userJson } from "./payloads.ts";
import { emailOf } from "./payloads-commits.ts";
import { pullJson } from "./payloads-pulls.ts";
import { hasPull, type PullIssue } from "./state.ts";
import type { World } from "./world.ts";

export interface NewPull {
  readonly title: string;
  readonly body: string | null;
  readonly headRef: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly draft: boolean;
  readonly fork?: User;
}

export function openPull(world: World, repository: Repository, input: NewPull, cause: Cause): PullIssue {
  const issue = newIssue(world, repository, input, cause);
  issue.pull = {
    id: world.state.nextId(),
    headRef: input.headRef,
    headSha: input.headSha,
    fork: input.fork,
    baseRef: input.baseRef,
    baseSha: input.baseSha,
    draft: input.draft,
    maintainerCanModify: false,
    merged: false,
    mergedAt: undefined,
    mergedBy: undefined,
    mergeCommitSha: undefined,
    mergeability: undefined,
    lines: undefined,
    autoMerge: undefined,
    queueExits: [],
    reviews: [],
    requestedReviewers: [],
    resolved: new Map(),
  };
  if (!hasPull(issue)) throw new Error("a pull request was just set");
  repository.git.refs.set(`refs/pull/${issue.number}/head`, input.headSha);
  world.feed.tell(
    "pull_request",
    repository,
    `pull request #${issue.number} opened by ${cause.user.login}: ${issue.title}`,
  );
  const payload = pullEvent(world, repository, issue, "opened", cause);
  triggerPull(world, repository, issue, "opened", payload, cause);
  return issue;
}

export function pullEvent(
  world: World,
  repository: Repository,
  issue: PullIssue,
  action: string,
  cause: Cause,
  more: Json = {},
): Json {
  return emit(world, repository, "pull_request", cause, {
    action,
    number: issue.number,
    pull_request: pullJson(world, repository, issue),
    ...more,
  });
}

/** Called when the head branch has moved. */
export function synchronize(world: World, repository: Repository, issue: PullIssue, after: string, cause: Cause): void {
  const before = issue.pull.headSha;
  world.queues.leave(repository, issue, cause);
  issue.pull.headSha = after;
  issue.updatedAt = world.now();
  repository.git.refs.set(`refs/pull/${issue.number}/head`, after);
  const payload = pullEvent(world, repository, issue, "synchronize", cause, { before, after });
  triggerPull(world, repository, issue, "synchronize", payload, cause);
}

export function closePull(world: World, repository: Repository, issue: PullIssue, cause: Cause): void {
  if (issue.state === "closed") return;
  issue.pull.autoMerge = undefined;
  world.queues.leave(repository, issue, cause);
  setIssueState(world, repository, issue, "closed", cause, null);
  const how = issue.pull.merged ? "merged" : "closed";
  world.feed.tell(
    issue.pull.merged ? "merge" : "pull_request",
    repository,
    `pull request #${issue.number} ${how} by ${cause.user.login}`,
  );
  pullEvent(world, repository, issue, "closed", cause);
}

export function reopenPull(world: World, repository: Repository, issue: PullIssue, cause: Cause): void {
  setIssueState(world, repository, issue, "open", cause);
  const payload = pullEvent(world, repository, issue, "reopened", cause);
  triggerPull(world, repository, issue, "reopened", payload, cause);
}

/** “Approve workflows to run”: a person's click starts the workflows of a pull request made with GITHUB_TOKEN. */
export function approveWorkflows(world: World, repository: Repository, issue: PullIssue, cause: Cause): void {
  const payload: Json = {
    action: "opened",
    number: issue.number,
    pull_request: pullJson(world, repository, issue),
    repository: repositoryJson(world, repository),
    sender: userJson(world, cause.user),
  };
  triggerPull(world, repository, issue, "opened", payload, cause);
}

export function editPull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  change: { title?: string | undefined; body?: string | null | undefined; base?: string | undefined },
  cause: Cause,
): void {
  const { pull } = issue;
  const changes: Json = {};
  if (change.title !== undefined && change.title !== issue.title) changes.title = { from: issue.title };
  if (change.body !== undefined && change.body !== issue.body) changes.body = { from: issue.body ?? "" };
  issue.title = change.title ?? issue.title;
  if (change.body !== undefined) issue.body = change.body;
  const rebased = change.base !== undefined && change.base !== pull.baseRef;
  if (change.base !== undefined && rebased) {
    changes.base = { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } };
    pull.baseRef = change.base;
    pull.baseSha = repository.git.branch(change.base) ?? pull.baseSha;
  }
  issue.updatedAt = world.now();
  if (Object.keys(changes).length > 0) pullEvent(world, repository, issue, "edited", cause, { changes });
  if (rebased && pull.autoMerge) disableAutoMerge(world, repository, issue, "base branch was changed", cause);
}

export function disableAutoMerge(
  world: World,
  repository: Repository,
  issue: PullIssue,
  reason: string,
  cause: Cause,
): void {
  issue.pull.autoMerge = undefined;
  pullEvent(world, repository, issue, "auto_merge_disabled", cause, { reason });
}

export function markReady(world: World, repository: Repository, issue: PullIssue, cause: Cause): void {
  if (!issue.pull.draft) return;
  issue.pull.draft = false;
  pullEvent(world, repository, issue, "ready_for_review", cause);
}

export function labelPull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  names: readonly string[],
  cause: Cause,
): void {
  addLabels(world, repository, issue, names, cause, (action, more) =>
    pullEvent(world, repository, issue, action, cause, more),
  );
}

/** Computes mergeability, and with it `refs/pull/N/merge`. */
export async function refreshMergeability(world: World, repository: Repository, issue: PullIssue): Promise<void> {
  const { git } = repository;
  const head = issue.pull.headSha;
  const base = git.branch(issue.pull.baseRef);
  if (base === undefined || mergeableOf(repository, issue) !== null) return;
  const tree = await mergedTree(git, base, head);
  const files = await git.patches((await git.mergeBase(base, head)) ?? base, head);
  const sum = (count: (file: PatchedFile) => number) => files.reduce((total, file) => total + count(file), 0);
  issue.pull.lines = { additions: sum((file) => file.additions), deletions: sum((file) => file.deletions) };
  issue.pull.mergeability = { base, head, mergeable: tree !== undefined };
  if (tree === undefined) return;
  const at = world.now();
  const who = { name: issue.user.login, email: emailOf(issue.user), at };
  const message = `Merge ${head} into ${base}`;
  const test = git.writeCommit({ tree, parents: [base, head], author: who, committer: who, message });
  issue.pull.mergeCommitSha = test;
  git.refs.set(`refs/pull/${issue.number}/merge`, test);
}

/** Workflows on `pull_request` run on the test merge; on a conflict they do not run. */
function triggerPull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  action: string,
  payload: Json,
  cause: Cause,
): void {
  const headSha = issue.pull.headSha;
  world.tasks.start(async () => {
    await refreshMergeability(world, repository, issue);
    const sha = repository.git.refs.get(`refs/pull/${issue.number}/merge`);
    if (mergeableOf(repository, issue) !== true || sha === undefined || issue.pull.headSha !== headSha) return;
    trigger(world, {
      event: "pull_request",
      action,
      repository: { owner: repository.owner.login, name: repository.name },
      sha,
      ref: `refs/pull/${issue.number}/merge`,
      headBranch: issue.pull.headRef,
      headSha,
      actor: cause.user.login,
      byWorkflowToken: cause.byWorkflowToken,
      payload,
    });
    world.considerAutoMerge(repository, headSha);
  });
}
