/**
 * Consequences of a changed ref: `create`, `push` and `delete` events, the App's empty check suite, pull requests that
 * follow their head, and the runner's triggers. Moves no refs itself.
 */
import { allows } from "./access.ts";
import { requestSuite } from "./checks.ts";
import { emit, trigger } from "./events.ts";
import { ZERO } from "./git-refs.ts";
import type { Cause, Json, Repository } from "./model.ts";
import { repoApi, repoHtml } from "./payloads.ts";
import { emailOf, pushCommitJson } from "./payloads-commits.ts";
import { closePull, editPull, synchronize } from "./pulls.ts";
import type { PullIssue } from "./state.ts";
import type { World } from "./world.ts";

export interface RefChange {
  readonly ref: string;
  /** ZERO when it did not exist. */
  readonly before: string;
  /** ZERO when it was deleted. */
  readonly after: string;
}

/** GitHub lists at most this many commits in one `push`. */
const PUSH_COMMITS = 2048;

export function refChanged(world: World, repository: Repository, change: RefChange, cause: Cause): void {
  const { ref, before, after } = change;
  if (before === after || !/^refs\/(?:heads|tags)\//.test(ref)) return;
  const kind = ref.startsWith("refs/heads/") ? "branch" : "tag";
  const short = ref.replace(/^refs\/(?:heads|tags)\//, "");
  repository.pushedAt = world.now();
  tell(world, repository, change, short);
  const common = {
    ref: short,
    ref_type: kind,
    pusher_type: "user",
    master_branch: repository.defaultBranch,
    description: null,
  };
  if (before === ZERO) emit(world, repository, "create", cause, common);
  const payload = emit(world, repository, "push", cause, pushPayload(world, repository, change, cause));
  if (after === ZERO) emit(world, repository, "delete", cause, { ref: short, ref_type: kind, pusher_type: "user" });
  if (kind === "branch") world.queues.moved(repository, short);
  if (kind === "branch") branchChanged(world, repository, { ...change, branch: short }, cause);
  triggerPush(world, repository, change, cause, payload);
}

function branchChanged(
  world: World,
  repository: Repository,
  change: RefChange & { branch: string },
  cause: Cause,
): void {
  const { branch, before, after } = change;
  if (after !== ZERO) {
    const installation = world.state.installationOf(repository);
    if (installation && allows(installation.permissions, "checks:write"))
      requestSuite(
        world,
        repository,
        { headSha: after, headBranch: branch, before: before === ZERO ? null : before },
        cause,
      );
  }
  for (const issue of world.state.pulls(repository)) {
    if (after === ZERO && issue.state === "open" && issue.pull.baseRef === branch)
      baseDeleted(world, repository, issue, { branch, before }, cause);
    if (issue.state !== "open" || issue.pull.fork || issue.pull.headRef !== branch) continue;
    if (after === ZERO) closePull(world, repository, issue, cause);
    else synchronize(world, repository, issue, after, cause);
  }
}

/** Gives the pull request the base that the deleted branch was merged into; closes it where it was merged nowhere. */
function baseDeleted(
  world: World,
  repository: Repository,
  issue: PullIssue,
  { branch, before }: { readonly branch: string; readonly before: string },
  cause: Cause,
): void {
  const merged = world.state
    .pulls(repository)
    .findLast(({ pull }) => pull.merged && pull.headRef === branch && pull.headSha === before);
  if (merged === undefined) closePull(world, repository, issue, cause);
  else editPull(world, repository, issue, { base: merged.pull.baseRef }, cause);
}

function tell(world: World, repository: Repository, { before, after }: RefChange, short: string): void {
  const title = repository.git.commit(after)?.message.split("\n")[0] ?? "";
  if (after === ZERO) world.feed.tell("branch", repository, `branch ${short} deleted`);
  else if (before === ZERO)
    world.feed.tell("branch", repository, `branch ${short} created at ${after.slice(0, 7)}: ${title}`);
  else world.feed.tell("push", repository, `${short} moved to ${after.slice(0, 7)}: ${title}`);
}

function pushPayload(world: World, repository: Repository, { ref, before, after }: RefChange, cause: Cause): Json {
  const { git } = repository;
  const html = repoHtml(world, repository);
  const head = git.commit(after);
  const base = before === ZERO ? git.branch(repository.defaultBranch) : before;
  const isDefault = ref === `refs/heads/${repository.defaultBranch}`;
  const known = before === ZERO && isDefault ? undefined : base;
  const commits = head ? git.between(known, after).slice(-PUSH_COMMITS) : [];
  const forced = before !== ZERO && after !== ZERO && !git.isAncestor(before, after);
  return {
    ref,
    before,
    after,
    base_ref: null,
    created: before === ZERO,
    deleted: after === ZERO,
    forced,
    compare:
      before === ZERO ? `${html}/commit/${after}` : `${html}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    pusher: { name: cause.user.login, email: emailOf(cause.user) },
    head_commit: head ? pushCommitJson(world, repository, head) : null,
    commits: commits.map((commit) => pushCommitJson(world, repository, commit)),
  };
}

function triggerPush(world: World, repository: Repository, change: RefChange, cause: Cause, payload: Json): void {
  const { defaultBranch, git } = repository;
  const gone = change.after === ZERO;
  // A deletion is a push too; its commit is the default branch's.
  const sha = gone ? git.branch(defaultBranch) : change.after;
  if (sha === undefined) return;
  trigger(world, {
    event: "push",
    repository: { owner: repository.owner.login, name: repository.name },
    sha,
    ref: gone ? `refs/heads/${defaultBranch}` : change.ref,
    headBranch: gone ? defaultBranch : change.ref.replace(/^refs\/(?:heads|tags)\//, ""),
    headSha: sha,
    actor: cause.user.login,
    byWorkflowToken: cause.byWorkflowToken,
    payload,
  });
}

export const refJson = (world: World, repository: Repository, ref: string, sha: string): Json => ({
  ref,
  node_id: `REF_${repository.id}_${Buffer.from(ref).toString("base64url")}`,
  url: `${repoApi(world, repository)}/git/${ref}`,
  object: { sha, type: "commit", url: `${repoApi(world, repository)}/git/commits/${sha}` },
});
