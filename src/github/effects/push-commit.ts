/**
 * Pushes the brief's commit to the job's branch: as one git push where the host takes it and the trees below the commit
 * are known, else by REST. Both create the branch only if there is none, or move it only from where it was seen.
 */
import { attempted, type GitHubError } from "../client/errors.ts";
import { commitObject, gitObject } from "../git/objects.ts";
import { type EditedTree, editTree } from "../git/trees.ts";
import * as refusals from "../render/refusals.ts";
import type { BranchCommit, Pushed } from "./branch-commit.ts";
import type { BriefFiles } from "./brief.ts";
import { laterOf } from "./one-call.ts";
import { pushByRest } from "./push-by-rest.ts";
import type { Task } from "./task.ts";

/** `rest`: a push is not possible, or nobody knows whether it was taken. `host`: this host takes none. */
type ByPush = Pushed | { readonly ended: "rest"; readonly host: boolean };

const fileBlobs = ({ files }: BriefFiles) => files.map(({ path, bytes }) => ({ path, blob: gitObject("blob", bytes) }));

/** The parent's tree with these files; null when too little of it is known. */
export function treeWith({ pushes }: Task, tree: string, commit: BriefFiles): EditedTree | null {
  if (pushes === null) return null;
  const changes = new Map<string, string | null>(commit.removed.map((path) => [path, null]));
  for (const { path, blob } of fileBlobs(commit)) changes.set(path, blob.id);
  return editTree(pushes.trees, tree, changes);
}

/** GitHub's sentence about a commit that a rule wants to be signed, which REST makes. */
const WANTS_SIGNATURE = /signature|signed/i;

/** Whether the branch is where a push that got no usable answer would have put it. */
async function isThere(task: Task, sha: string): Promise<boolean | GitHubError> {
  const { octokit, at, job } = task;
  const ref = `heads/${job.branch}`;
  const answer = await attempted(task.now, () =>
    octokit.request("GET /repos/{owner}/{repo}/git/ref/{ref}", { ...at, ref }),
  );
  if (answer.ok) return answer.value.data.object.sha === sha;
  return answer.githubError.kind === "later" ? answer.githubError : false;
}

async function byPush(task: Task, commit: BranchCommit): Promise<ByPush> {
  const { pushes, job, octokit, at } = task;
  const by = pushes?.author() ?? null;
  const tree = treeWith(task, commit.parent.tree, commit);
  if (pushes === null || by === null || tree === null || !pushes.works()) return { ended: "rest", host: false };
  const { parent, creates } = commit;
  const message = commit.messageOf(tree.id);
  const made = commitObject({ tree: tree.id, parent: parent.sha, by, at: job.updated_at, message });
  const outcome = await pushes.push(octokit, {
    ...{ owner: at.owner, name: at.repo, ref: `refs/heads/${job.branch}` },
    ...{ from: creates ? null : parent.sha, to: made.id },
    objects: [made, ...tree.objects, ...fileBlobs(commit).map(({ blob }) => blob)],
  });
  switch (outcome.ended) {
    case "pushed":
      return { ended: "pushed", sha: made.id };
    case "moved":
      return creates ? { ended: "exists" } : { ended: "stale", final: false };
    case "later":
      return { ended: "later", ...laterOf(outcome.githubError) };
    case "forbidden":
      return WANTS_SIGNATURE.test(outcome.words)
        ? { ended: "rest", host: false }
        : { ended: "refused", sentence: refusals.pushForbidden(job.branch, outcome.words) };
    case "unknown": {
      const there = await isThere(task, made.id);
      if (typeof there !== "boolean") return { ended: "later", ...laterOf(there) };
      return there ? { ended: "pushed", sha: made.id } : { ended: "rest", host: outcome.host };
    }
    default:
      return outcome satisfies never;
  }
}

/** Whether a push from this tree needs nothing to be read. */
export function isPushReady({ pushes }: Task, tree: string): boolean {
  if (pushes === null || !pushes.works()) return true;
  return pushes.author() !== null && pushes.trees.knows(tree, ".jobs");
}

/** `last`: nobody looks again, so where a push finds the branch moved, REST tells why. */
export async function pushCommit(
  task: Task,
  commit: BranchCommit,
  { how, last }: { readonly how: "push" | "rest"; readonly last: boolean },
): Promise<Pushed> {
  const pushed = how === "push" ? await byPush(task, commit) : ({ ended: "rest", host: false } as const);
  const unclear = pushed.ended === "exists" || pushed.ended === "stale";
  if (pushed.ended !== "rest" && !(unclear && last)) return pushed;
  const outcome = await pushByRest(task, commit);
  if (outcome.ended === "pushed" && pushed.ended === "rest" && pushed.host) task.pushes?.giveUp();
  return outcome;
}
