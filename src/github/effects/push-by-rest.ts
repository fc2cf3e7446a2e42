/**
 * Pushes a commit to the job's branch by REST: tree, commit and ref, in this order, so that one push starts one run
 * (github-facts 2.2). GitHub signs the commit.
 */
import { attempted, type GitHubError } from "../client/errors.ts";
import * as refusals from "../render/refusals.ts";
import type { BranchCommit, Pushed } from "./branch-commit.ts";
import type { BriefFiles } from "./brief.ts";
import { laterOf } from "./one-call.ts";
import { restTreeEntry } from "./rest-tree-entry.ts";
import type { Task } from "./task.ts";

/** 422 after a race; any other 422 is final. */
const RACE = /not a fast.forward|reference does not exist/i;

/** 422 from a ruleset that blocks the branch: a retry will not help. */
const RULESET_BLOCKED = /rule violations?|protected branch/i;

export async function writeTree(task: Task, { files, removed }: BriefFiles, base_tree: string): Promise<string> {
  const { octokit, at } = task;
  const tree = [];
  for (const path of removed) tree.push(await restTreeEntry(task, path, null));
  for (const { path, bytes } of files) tree.push(await restTreeEntry(task, path, bytes));
  return (await octokit.request("POST /repos/{owner}/{repo}/git/trees", { ...at, base_tree, tree })).data.sha;
}

function noPush(githubError: GitHubError, task: Task): Pushed {
  switch (githubError.kind) {
    case "gone":
    case "conflict":
      return { ended: "stale", final: false };
    case "invalid":
      return { ended: "stale", final: !RACE.test(githubError.words) };
    case "forbidden":
      return { ended: "refused", sentence: refusals.lacksPermission(task.job.repository) };
    default:
      return { ended: "later", ...laterOf(githubError) };
  }
}

export async function pushByRest(task: Task, commit: BranchCommit): Promise<Pushed> {
  const { octokit, job, at, now } = task;
  const tree = await attempted(now, () => writeTree(task, commit, commit.parent.tree));
  if (!tree.ok) return noPush(tree.githubError, task);
  const made = await attempted(now, () =>
    octokit.request("POST /repos/{owner}/{repo}/git/commits", {
      ...at,
      message: commit.messageOf(tree.value),
      tree: tree.value,
      parents: [commit.parent.sha],
    }),
  );
  if (!made.ok) return noPush(made.githubError, task);
  const { sha } = made.value.data;
  const ref = await attempted<unknown>(now, () =>
    commit.creates
      ? octokit.request("POST /repos/{owner}/{repo}/git/refs", { ...at, ref: `refs/heads/${job.branch}`, sha })
      : octokit.request("PATCH /repos/{owner}/{repo}/git/refs/{ref}", {
          ...at,
          ref: `heads/${job.branch}`,
          sha,
          force: false,
        }),
  );
  if (ref.ok) return { ended: "pushed", sha };
  if (ref.githubError.kind === "invalid" && RULESET_BLOCKED.test(ref.githubError.words))
    return { ended: "refused", sentence: refusals.lacksPermission(job.repository) };
  if (ref.githubError.kind === "invalid" && /already exists/i.test(ref.githubError.words)) return { ended: "exists" };
  return noPush(ref.githubError, task);
}
