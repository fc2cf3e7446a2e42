/**
 * Takes `.jobs/{id}/` off the job's branch with one commit of the App's own, so that CI runs on it. Compare-and-swap on
 * the head that we know; what the agent usually leaves is assumed first, and looked up when that was wrong.
 */
import { z } from "zod";
import { CONFIG_FILE, jobFolder, LOG_FILE, RESULT_FILE, TASK_FILE } from "../../contracts/brief.ts";
import { isOnActions, type Job } from "../../domain/job/job.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import { ask, ENTRIES, entrySchema, FOLDER, folderSchema } from "../client/graphql.ts";
import { finishMessage } from "../render/pull-request.ts";
import type { Task } from "./task.ts";

/** What the branch is after the folder has gone. */
export interface Cleaned {
  readonly head: string;
  /** Nothing differs from the base. */
  readonly empty: boolean;
  /** The job's pull request can take this round's work. */
  readonly open: boolean;
}

/** The root alone tells whether anything of the folder was left. */
const MUTATION = `
mutation Clean($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid tree { oid ${ENTRIES} } } }
}`;

const QUERY = `
query Folder($owner: String!, $repo: String!, $branch: String!, $base: String!, $folder: String!, $pull: Int!, $asked: Boolean!) {
  repository(owner: $owner, name: $repo) {
    ref(qualifiedName: $branch) { target { ... on Commit { oid tree { oid } } } }
    base: object(expression: $base) { ... on Commit { tree { oid } } }
    folder: object(expression: $folder) { ${FOLDER} }
    pullRequest(number: $pull) @include(if: $asked) { state }
  }
}`;

const mutationSchema = z.object({
  createCommitOnBranch: z.object({
    commit: z.object({ oid: z.string(), tree: z.object({ oid: z.string(), entries: z.array(entrySchema) }) }),
  }),
});

const tree = z.object({ tree: z.object({ oid: z.string() }) });

const querySchema = z.object({
  repository: z.object({
    ref: z.object({ target: tree.extend({ oid: z.string() }) }).nullable(),
    base: tree.nullable().catch(null),
    folder: folderSchema,
    pullRequest: z.object({ state: z.string() }).nullish(),
  }),
});

type Seen = z.infer<typeof querySchema>["repository"];

/** Folder of all jobs' folders. */
const PARENT = jobFolder("").split("/")[0];

const folderOf = (job: Job): string => `${jobFolder(job.id)}/`;

function look(task: Task): Promise<Seen> {
  const { job } = task;
  return ask(
    task.octokit,
    QUERY,
    {
      ...task.at,
      branch: `refs/heads/${job.branch}`,
      base: job.base.sha ?? "HEAD",
      folder: `refs/heads/${job.branch}:${jobFolder(job.id)}`,
      pull: job.pull_request?.number ?? 0,
      asked: job.pull_request !== null,
    },
    querySchema,
  ).then(({ repository }) => repository);
}

interface Removed {
  readonly head: string;
  readonly tree: string;
  /** Nothing below `.jobs` is left. */
  readonly clean: boolean;
}

async function remove(task: Task, head: string, paths: readonly string[]): Promise<Removed> {
  const { job, octokit, at } = task;
  const input = {
    branch: { repositoryNameWithOwner: `${at.owner}/${at.repo}`, branchName: job.branch },
    expectedHeadOid: head,
    message: finishMessage(job),
    fileChanges: { deletions: paths.map((path) => ({ path })) },
  };
  const { createCommitOnBranch } = await ask(octokit, MUTATION, { input }, mutationSchema);
  const { oid, tree: root } = createCommitOnBranch.commit;
  return { head: oid, tree: root.oid, clean: !root.entries.some(({ name }) => name === PARENT) };
}

/** Every file below the folder. Subfolders, which agents rarely make, cost one more call. */
async function filesIn(task: Task, head: string, folder: Seen["folder"]): Promise<string[]> {
  if (folder === null) return [];
  const own = folderOf(task.job);
  if (folder.every(({ type }) => type === "blob")) return folder.map(({ name }) => own + name);
  const { data } = await task.octokit.request("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", {
    ...task.at,
    tree_sha: head,
    recursive: "1",
  });
  return data.tree.flatMap(({ type, path }) => (type !== "tree" && path?.startsWith(own) ? [path] : []));
}

async function lookAndRemove(task: Task): Promise<Cleaned | null> {
  const seen = await look(task);
  if (seen.ref === null) return null;
  const { oid, tree: top } = seen.ref.target;
  const left = await filesIn(task, oid, seen.folder);
  const { head, tree } = left.length === 0 ? { head: oid, tree: top.oid } : await remove(task, oid, left);
  const { job } = task;
  // an agent of ours tells its files; a worker of the market may have pushed what nobody tells
  const told = left.length > 0 && isOnActions(job);
  return {
    head,
    empty: told ? (job.result?.changed_files ?? []).length === 0 : seen.base?.tree.oid === tree,
    open: seen.pullRequest?.state === "OPEN",
  };
}

const USUAL = [TASK_FILE, CONFIG_FILE, RESULT_FILE, LOG_FILE];

/** Null: the branch is gone. */
export async function removeFolder(task: Task): Promise<Cleaned | { readonly githubError: GitHubError } | null> {
  const { job } = task;
  const own = folderOf(job);
  const head = job.head_sha;
  // of a further round the pull request must be looked at anyway; a worker of the market may have pushed as well
  if (!task.again && head !== null && job.pull_request === null && isOnActions(job)) {
    const paths = USUAL.map((name) => own + name);
    const first = await attempted(task.now, () => remove(task, head, paths));
    if (first.ok && first.value.clean)
      return { head: first.value.head, empty: job.result?.changed_files.length === 0, open: false };
    if (!first.ok && first.githubError.kind === "later") return first;
  }
  const second = await attempted(task.now, () => lookAndRemove(task));
  return second.ok ? second.value : { githubError: second.githubError };
}
