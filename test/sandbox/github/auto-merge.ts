/** Merging a pull request, by hand or when its last requirement is met: GitHub's refusals, git, refs and events. */

import { ZERO } from "./git-refs.ts";
import { setIssueState } from "./issues.ts";
import { blockers, isBehind, mergeableState, protectionOf } from "./mergeability.ts";
import { mergeCommit } from "./merging.ts";
import type { Cause, MergeMethod, Repository } from "./model.ts";
import { emailOf } from "./payloads-commits.ts";
import { closePull, pullEvent, refreshMergeability } from "./pulls.ts";
import { refChanged } from "./ref-changes.ts";
import { unsignedMerge } from "./signatures.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

export interface MergeOrder {
  readonly method: MergeMethod;
  readonly sha?: string | undefined;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
}

export type MergeOutcome =
  | { readonly ok: true; readonly sha: string }
  | { readonly ok: false; readonly status: 405 | 409; readonly message: string };

const refused = (status: 405 | 409, message: string): MergeOutcome => ({ ok: false, status, message });
const HEAD_MOVED = "Head branch was modified. Review and try the merge again.";
const METHOD_NAMES = { merge: "Merge commits", squash: "Squash merges", rebase: "Rebase merges" };

/** Why GitHub would not merge now, apart from git; undefined when nothing prevents it. */
function refusal(repository: Repository, issue: PullIssue, order: MergeOrder): MergeOutcome | undefined {
  if (issue.state === "closed") return refused(405, "Pull Request is not mergeable");
  if (order.sha !== undefined && order.sha !== issue.pull.headSha) return refused(409, HEAD_MOVED);
  if (issue.pull.draft) return refused(405, "Pull Request is still a draft");
  if (!repository.mergeMethods[order.method])
    return refused(405, `${METHOD_NAMES[order.method]} are not allowed on this repository.`);
  if (protectionOf(repository, issue.pull.baseRef)?.mergeQueue)
    return refused(405, "Repository rule violations found\n\nChanges must be made through the merge queue");
  const unsigned = unsignedMerge(repository, issue.pull.baseRef, issue.pull.headSha, order.method);
  if (unsigned !== undefined) return refused(405, unsigned);
  const open = blockers(repository, issue);
  if (open.length > 0) return refused(405, open.join("\n"));
  if (protectionOf(repository, issue.pull.baseRef)?.strict && isBehind(repository, issue))
    return refused(405, "The head branch is not up to date with the base branch.");
  return undefined;
}

export function mergePull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  order: MergeOrder,
  cause: Cause,
): Promise<MergeOutcome> {
  return world.tasks.exclusive(`merge ${repository.id}`, () => mergeNow(world, repository, issue, order, cause));
}

async function mergeNow(
  world: World,
  repository: Repository,
  issue: PullIssue,
  order: MergeOrder,
  cause: Cause,
): Promise<MergeOutcome> {
  const { git } = repository;
  const { pull } = issue;
  const no = refusal(repository, issue, order);
  if (no) return no;
  const ref = `refs/heads/${pull.baseRef}`;
  const base = git.refs.get(ref);
  const head = pull.headSha;
  if (base === undefined) return refused(405, "Pull Request is not mergeable");
  const sha = await mergeCommit(git, order.method, { base, head }, mergeText(world, repository, issue, order, cause));
  if (sha === undefined) return refused(405, "Pull Request is not mergeable");
  // The head may have moved, or the pull request been closed, while git ran.
  const late = refusal(repository, issue, { ...order, sha: order.sha ?? head });
  if (late) return late;
  if (git.refs.set(ref, sha, base) !== "ok")
    return refused(405, "Base branch was modified. Review and try the merge again.");
  if (order.method !== "rebase") repository.verifiedCommits.add(sha);
  pull.merged = true;
  pull.mergedAt = world.now();
  pull.mergedBy = cause.user;
  pull.mergeCommitSha = sha;
  pull.baseSha = base;
  refChanged(world, repository, { ref, before: base, after: sha }, cause);
  closePull(world, repository, issue, cause);
  closeLinkedIssues(world, repository, issue, cause);
  if (repository.deleteBranchOnMerge && !pull.fork) dropBranch(world, repository, pull.headRef, cause);
  return { ok: true, sha };
}

export function mergeText(
  world: World,
  repository: Repository,
  issue: PullIssue,
  order: Pick<MergeOrder, "method" | "title" | "message">,
  cause: Cause,
) {
  const at = world.now();
  const { pull, number, title } = issue;
  const who = order.method === "squash" ? issue.user : cause.user;
  const commits = repository.git.between(repository.git.branch(pull.baseRef), pull.headSha);
  const owner = (pull.fork ?? repository.owner).login;
  const squash = {
    title: `${title} (#${number})`,
    body:
      commits.length === 1 ? rest(commits[0]?.message) : commits.map((commit) => `* ${commit.message}`).join("\n\n"),
  };
  const merge = { title: `Merge pull request #${number} from ${owner}/${pull.headRef}`, body: title };
  const usual = order.method === "squash" ? squash : merge;
  const body = order.message ?? usual.body;
  return {
    message: `${order.title ?? usual.title}${body === "" ? "" : `\n\n${body}`}`,
    author: { name: who.login, email: emailOf(who), at },
    committer: { name: "GitHub", email: "noreply@github.com", at },
  };
}

const rest = (message = "") => message.split("\n").slice(1).join("\n").trim();

const CLOSES = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)/gi;

export function closeLinkedIssues(world: World, repository: Repository, issue: PullIssue, cause: Cause): void {
  if (issue.pull.baseRef !== repository.defaultBranch) return;
  for (const [, number] of (issue.body ?? "").matchAll(CLOSES)) {
    const linked = repository.issues.get(Number(number));
    if (linked && !linked.pull) setIssueState(world, repository, linked, "closed", cause);
  }
}

export function dropBranch(world: World, repository: Repository, branch: string, cause: Cause): boolean {
  const ref = `refs/heads/${branch}`;
  const before = repository.git.refs.get(ref);
  if (before === undefined || !repository.git.refs.delete(ref)) return false;
  refChanged(world, repository, { ref, before, after: ZERO }, cause);
  return true;
}

/** Called when the state of a commit changed: merges the pull requests that waited for it. */
export function considerAutoMerge(world: World, repository: Repository, headSha: string): void {
  for (const issue of world.state.pulls(repository)) {
    if (issue.state !== "open" || issue.pull.headSha !== headSha || !issue.pull.autoMerge) continue;
    world.tasks.start(async () => {
      await refreshMergeability(world, repository, issue);
      const order = issue.pull.autoMerge;
      if (!order || !["clean", "unstable"].includes(mergeableState(repository, issue))) return;
      if (protectionOf(repository, issue.pull.baseRef)?.mergeQueue) {
        issue.pull.autoMerge = undefined;
        return world.queues.enter(repository, issue, order.cause);
      }
      await mergePull(
        world,
        repository,
        issue,
        { method: order.method, title: order.headline, message: order.body },
        order.cause,
      );
    });
  }
}

export interface AutoMergeOrder {
  readonly method: MergeMethod;
  readonly headline: string | undefined;
  readonly body: string | undefined;
  readonly expectedHeadOid: string | undefined;
}

/** Enables auto-merge; returns GitHub's sentence when it refuses. */
export async function enableAutoMerge(
  world: World,
  repository: Repository,
  issue: PullIssue,
  order: AutoMergeOrder,
  cause: Cause,
): Promise<string | undefined> {
  const { pull } = issue;
  if (issue.state === "closed") return "Pull request is closed";
  if (!repository.autoMergeAllowed) return "Auto merge is not allowed for this repository";
  if (!repository.mergeMethods[order.method])
    return `Merge method ${order.method === "merge" ? "merge commits are" : `${order.method} merging is`} not allowed on this repository`;
  const protection = protectionOf(repository, pull.baseRef);
  if (!protection || (protection.requiredChecks.length === 0 && protection.requiredReviews === 0))
    return "Protected branch rules not configured for this branch";
  if (order.expectedHeadOid !== undefined && order.expectedHeadOid !== pull.headSha) return HEAD_MOVED;
  await refreshMergeability(world, repository, issue);
  const state = mergeableState(repository, issue);
  if (state !== "blocked" && state !== "behind") return `Pull request is in ${state} status`;
  pull.autoMerge = { enabledAt: world.now(), cause, method: order.method, headline: order.headline, body: order.body };
  world.feed.tell("pull_request", repository, `auto-merge (${order.method}) turned on for #${issue.number}`);
  pullEvent(world, repository, issue, "auto_merge_enabled", cause);
  world.considerAutoMerge(repository, pull.headSha);
  return undefined;
}
