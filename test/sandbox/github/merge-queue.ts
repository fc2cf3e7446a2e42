/**
 * Merge queues: entries in order, a commit for each on top of what is ahead of it, and what follows from its checks. An
 * entry that fails is thrown out, and those behind it are built anew.
 */
import { closeLinkedIssues, dropBranch, mergeText } from "./auto-merge.ts";
import { emit, trigger } from "./events.ts";
import { ZERO } from "./git-refs.ts";
import { blockers, protectionOf, requiredVerdict } from "./mergeability.ts";
import { mergeCommit } from "./merging.ts";
import type { Cause, Json, QueueEntry, Repository } from "./model.ts";
import { commitJson } from "./payloads-commits.ts";
import { closePull, pullEvent, refreshMergeability } from "./pulls.ts";
import { refChanged } from "./ref-changes.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

/** GitHub's reasons, as webhooks spell them. */
export type QueueExit =
  | "MANUAL"
  | "MERGE"
  | "MERGE_CONFLICT"
  | "CI_FAILURE"
  | "CI_TIMEOUT"
  | "QUEUE_CLEARED"
  | "BRANCH_PROTECTIONS";

const TIMELINE: Readonly<Record<QueueExit, string>> = {
  MANUAL: "manual",
  MERGE: "merged",
  MERGE_CONFLICT: "merge_conflict",
  CI_FAILURE: "failed_checks",
  CI_TIMEOUT: "checks_timed_out",
  QUEUE_CLEARED: "queue_cleared",
  BRANCH_PROTECTIONS: "branch_protections",
};

export const queueOf = (repository: Repository, branch: string): readonly QueueEntry[] =>
  repository.mergeQueues.get(branch) ?? [];

export const entryOf = (repository: Repository, { number, pull }: PullIssue): QueueEntry | undefined =>
  queueOf(repository, pull.baseRef).find((entry) => entry.number === number);

/** From 1; 0: it is in no queue. */
export const positionOf = (repository: Repository, issue: PullIssue): number =>
  queueOf(repository, issue.pull.baseRef).findIndex((entry) => entry.number === issue.number) + 1;

export const hasQueue = (repository: Repository, branch: string): boolean =>
  protectionOf(repository, branch)?.mergeQueue !== undefined;

const botCause = (world: World): Cause => ({
  user: world.state.ensureUser("github-merge-queue[bot]", "Bot"),
  byWorkflowToken: false,
});

function setQueue(repository: Repository, branch: string, entries: readonly QueueEntry[]): void {
  repository.mergeQueues.set(branch, [...entries]);
}

/** Adds a pull request at the end of the queue; returns GitHub's sentence when it refuses. */
export async function enqueuePull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  expectedHead: string | undefined,
  cause: Cause,
): Promise<string | undefined> {
  const { pull, number } = issue;
  if (!hasQueue(repository, pull.baseRef)) return `Merge queue is not enabled for ${pull.baseRef}`;
  if (issue.state === "closed") return "Pull request is closed";
  if (pull.draft) return "Pull request is in draft state";
  if (expectedHead !== undefined && expectedHead !== pull.headSha) return "Head branch was modified";
  if (entryOf(repository, issue)) return "Pull request is already in the queue";
  await refreshMergeability(world, repository, issue);
  if (pull.mergeability?.mergeable === false) return "Pull request has merge conflicts";
  const [open] = blockers(repository, issue);
  if (open !== undefined) return `Pull request ${open}`;
  if (repository.queueFaults.swallowed > 0) {
    repository.queueFaults.swallowed -= 1;
    return undefined;
  }
  const entry: QueueEntry = {
    ...{ id: world.state.nextId(), number, headSha: pull.headSha, cause, enqueuedAt: world.now(), group: undefined },
  };
  setQueue(repository, pull.baseRef, [...queueOf(repository, pull.baseRef), entry]);
  world.feed.tell("merge_queue", repository, `#${number} was added to the merge queue of ${pull.baseRef}`);
  pullEvent(world, repository, issue, "enqueued", cause);
  advance(world, repository, pull.baseRef);
  return undefined;
}

/** Takes a pull request out of the queue; false when it is in none. */
export function dequeuePull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  reason: QueueExit,
  cause: Cause = botCause(world),
): boolean {
  const { baseRef } = issue.pull;
  const entries = queueOf(repository, baseRef);
  const index = entries.findIndex((entry) => entry.number === issue.number);
  if (index < 0) return false;
  // what was built on top of it is void
  for (const behind of entries.slice(index))
    dropGroup(world, repository, behind, behind === entries[index] ? "dequeued" : "invalidated");
  setQueue(repository, baseRef, entries.toSpliced(index, 1));
  issue.pull.queueExits.push({ reason: TIMELINE[reason], at: world.now() });
  world.feed.tell("merge_queue", repository, `#${issue.number} left the merge queue of ${baseRef}: ${reason}`);
  pullEvent(world, repository, issue, "dequeued", cause, { number: issue.number, reason });
  advance(world, repository, baseRef);
  return true;
}

function groupJson(world: World, repository: Repository, branch: string, { group }: QueueEntry): Json {
  const commit = group === undefined ? undefined : repository.git.commit(group.headSha);
  return {
    head_sha: group?.headSha ?? "",
    head_ref: group?.ref ?? "",
    base_sha: group?.baseSha ?? "",
    base_ref: `refs/heads/${branch}`,
    head_commit: commit ? commitJson(world, repository, commit) : null,
  };
}

function dropGroup(world: World, repository: Repository, entry: QueueEntry, reason: string): void {
  const { group } = entry;
  if (group === undefined) return;
  emit(world, repository, "merge_group", botCause(world), {
    action: "destroyed",
    reason,
    merge_group: groupJson(world, repository, group.base, entry),
  });
  entry.group = undefined;
  dropBranch(world, repository, group.ref.slice("refs/heads/".length), botCause(world));
}

/** Builds what is missing and merges what is ready, one step after the other for each repository. */
export function advance(world: World, repository: Repository, branch: string): void {
  world.tasks.start(() =>
    world.tasks.exclusive(`queue ${repository.id}`, async () => {
      for (;;) if (!(await step(world, repository, branch))) return;
    }),
  );
}

/** Whether something has changed, so that another step may follow. */
async function step(world: World, repository: Repository, branch: string): Promise<boolean> {
  const rules = protectionOf(repository, branch)?.mergeQueue;
  const [first] = queueOf(repository, branch);
  if (first === undefined || rules === undefined) return false;
  const tip = repository.git.branch(branch);
  // somebody else has moved the base
  if (first.group !== undefined && first.group.baseSha !== tip) {
    for (const entry of queueOf(repository, branch)) dropGroup(world, repository, entry, "invalidated");
    return true;
  }
  for (const [index, entry] of queueOf(repository, branch).slice(0, rules.builds).entries()) {
    if (entry.group !== undefined) continue;
    const base = index === 0 ? tip : queueOf(repository, branch)[index - 1]?.group?.headSha;
    if (base !== undefined) return build(world, repository, branch, entry, base);
  }
  return finish(world, repository, branch, first);
}

async function build(
  world: World,
  repository: Repository,
  branch: string,
  entry: QueueEntry,
  baseSha: string,
): Promise<boolean> {
  const issue = world.state.pull(repository, entry.number);
  const method = protectionOf(repository, branch)?.mergeQueue?.method ?? "squash";
  if (issue === undefined) return false;
  const text = mergeText(world, repository, issue, { method }, entry.cause);
  const headSha = await mergeCommit(repository.git, method, { base: baseSha, head: entry.headSha }, text);
  // it may have left meanwhile
  if (entryOf(repository, issue) !== entry) return true;
  if (headSha === undefined) return dequeuePull(world, repository, issue, "MERGE_CONFLICT");
  const ref = `refs/heads/gh-readonly-queue/${branch}/pr-${entry.number}-${baseSha}`;
  entry.group = { ref, base: branch, baseSha, headSha };
  if (method !== "rebase") repository.verifiedCommits.add(headSha);
  repository.git.refs.set(ref, headSha, ZERO);
  const cause: Cause = { ...botCause(world), byWorkflowToken: entry.cause.byWorkflowToken };
  refChanged(world, repository, { ref, before: ZERO, after: headSha }, cause);
  const payload = emit(world, repository, "merge_group", cause, {
    action: "checks_requested",
    merge_group: groupJson(world, repository, branch, entry),
  });
  trigger(world, {
    ...{ event: "merge_group", action: "checks_requested", sha: headSha, ref, headSha, payload },
    repository: { owner: repository.owner.login, name: repository.name },
    headBranch: ref.slice("refs/heads/".length),
    actor: cause.user.login,
    byWorkflowToken: cause.byWorkflowToken,
  });
  return true;
}

/** Called when the state of a commit has changed. */
export function considerQueues(world: World, repository: Repository, sha: string): void {
  for (const [branch, entries] of repository.mergeQueues)
    if (entries.some(({ group }) => group?.headSha === sha)) advance(world, repository, branch);
}

/** Throws out what has failed, wherever it stands, and merges the first when it is green. */
function finish(world: World, repository: Repository, branch: string, first: QueueEntry): boolean {
  for (const entry of queueOf(repository, branch)) {
    const issue = world.state.pull(repository, entry.number);
    if (issue === undefined || entry.group === undefined) continue;
    const verdict = requiredVerdict(repository, branch, entry.group.headSha);
    if (verdict === "failed") return dequeuePull(world, repository, issue, "CI_FAILURE");
    if (entry === first && verdict === "passed") return merge(world, repository, issue, first);
  }
  return false;
}

function merge(world: World, repository: Repository, issue: PullIssue, entry: QueueEntry): boolean {
  const { group } = entry;
  if (group === undefined) return false;
  const ref = `refs/heads/${group.base}`;
  if (repository.git.refs.set(ref, group.headSha, group.baseSha) !== "ok") return true;
  const cause = botCause(world);
  const { pull } = issue;
  setQueue(repository, group.base, queueOf(repository, group.base).slice(1));
  pull.merged = true;
  pull.mergedAt = world.now();
  pull.mergedBy = cause.user;
  pull.mergeCommitSha = group.headSha;
  pull.baseSha = group.baseSha;
  pull.queueExits.push({ reason: TIMELINE.MERGE, at: world.now() });
  refChanged(world, repository, { ref, before: group.baseSha, after: group.headSha }, cause);
  emit(world, repository, "merge_group", cause, {
    action: "destroyed",
    reason: "merged",
    merge_group: groupJson(world, repository, group.base, entry),
  });
  pullEvent(world, repository, issue, "dequeued", cause, { number: issue.number, reason: "MERGE" });
  closePull(world, repository, issue, cause);
  closeLinkedIssues(world, repository, issue, cause);
  dropBranch(world, repository, group.ref.slice("refs/heads/".length), cause);
  if (repository.deleteBranchOnMerge && !pull.fork) dropBranch(world, repository, pull.headRef, cause);
  return true;
}
