/**
 * Removes `.jobs/{id}/` from the job's branch with a commit by the App, so that CI runs on it. Uses compare-and-swap on
 * the known head; first assumes the usual files, and reads the folder if that was wrong.
 */
import * as z from "zod";
import { CONFIG_FILE, jobFolder, LOG_FILE, RESULT_FILE, TASK_FILE } from "../../contracts/brief.ts";
import { isOnActions, type Job } from "../../domain/job/job.ts";
import { attempted, type GitHubError } from "../client/errors.ts";
import { ask, ENTRIES, entrySchema, FOLDER, folderSchema } from "../client/graphql.ts";
import { finishMessage } from "../render/pull-request.ts";
import type { Task } from "./task.ts";

/** The branch after the removal. */
export interface Cleaned {
  readonly head: string;
  /** The branch does not differ from the base. */
  readonly empty: boolean;
  /** Whether the job's pull request is open and can take this round's work. */
  readonly open: boolean;
}

/** Only the root tree shows whether anything of the folder is left. */
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

/** The folder that holds all jobs' folders. */
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

/** Every file below the folder. Subfolders are rare and cost one more call. */
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
  // Our agent reports its files; a market worker may have pushed others.
  const told = left.length > 0 && isOnActions(job);
  return {
    head,
    empty: told ? (job.result?.changed_files ?? []).length === 0 : seen.base?.tree.oid === tree,
    open: seen.pullRequest?.state === "OPEN",
  };
}

const USUAL = [TASK_FILE, CONFIG_FILE, RESULT_FILE, LOG_FILE];

/** Null when the branch is gone. */
export async function removeFolder(task: Task): Promise<Cleaned | { readonly githubError: GitHubError } | null> {
  const { job } = task;
  const own = folderOf(job);
  const head = job.head_sha;
  // In a further round the pull request is checked anyway, and a market worker may have pushed too.
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
