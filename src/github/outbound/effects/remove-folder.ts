/**
 * Takes `.jobs/{id}/` off the job's branch with one commit of the App's own, so that CI runs on it. Compare-and-swap on
 * the head that we know; what the agent usually leaves is assumed first, and looked up when that was wrong.
 */
import { z } from "zod";
import type { Job } from "../../../job/job.ts";
import { CONFIG_FILE, jobFolder, LOG_FILE, RESULT_FILE, TASK_FILE } from "../../../wire/brief.ts";
import { type Trouble, tried } from "../errors.ts";
import { ask, FOLDER, folderSchema } from "../graphql.ts";
import { finishMessage } from "../texts/pull-request.ts";
import type { Task } from "./with.ts";

/** What the branch is after the folder has gone. */
export interface Cleaned {
  readonly head: string;
  /** Nothing differs from the base. */
  readonly empty: boolean;
  /** The job's pull request can take this round's work. */
  readonly open: boolean;
}

const STATE = `
  base: object(expression: $base) { ... on Commit { tree { oid } } }
  folder: object(expression: $folder) { ${FOLDER} }
  pullRequest(number: $pull) @include(if: $asked) { state }
`;

const MUTATION = `
mutation Clean($input: CreateCommitOnBranchInput!, $base: String!, $folder: String!, $pull: Int!, $asked: Boolean!) {
  createCommitOnBranch(input: $input) { commit { oid tree { oid } repository { ${STATE} } } }
}`;

const QUERY = `
query Folder($owner: String!, $repo: String!, $branch: String!, $base: String!, $folder: String!, $pull: Int!, $asked: Boolean!) {
  repository(owner: $owner, name: $repo) {
    ref(qualifiedName: $branch) { target { ... on Commit { oid tree { oid } } } }
    ${STATE}
  }
}`;

const state = z.object({
  base: z
    .object({ tree: z.object({ oid: z.string() }) })
    .nullable()
    .catch(null),
  folder: folderSchema,
  pullRequest: z.object({ state: z.string() }).nullish(),
});
const tip = z.object({ oid: z.string(), tree: z.object({ oid: z.string() }) });

const mutationSchema = z.object({ createCommitOnBranch: z.object({ commit: tip.extend({ repository: state }) }) });
const querySchema = z.object({
  repository: state.extend({ ref: z.object({ target: tip }).nullable() }),
});

interface Seen {
  readonly tip: z.infer<typeof tip>;
  readonly state: z.infer<typeof state>;
}

const folderOf = (job: Job): string => `${jobFolder(job.id)}/`;

const variablesOf = ({ job }: Task) => ({
  base: job.base.sha ?? "HEAD",
  folder: `refs/heads/${job.branch}:${jobFolder(job.id)}`,
  pull: job.pull_request?.number ?? 0,
  asked: job.pull_request !== null,
});

async function look(task: Task): Promise<Seen | null> {
  const { repository } = await ask(
    task.octokit,
    QUERY,
    { ...task.at, ...variablesOf(task), branch: `refs/heads/${task.job.branch}` },
    querySchema,
  );
  return repository.ref === null ? null : { tip: repository.ref.target, state: repository };
}

async function remove(task: Task, head: string, paths: readonly string[]): Promise<Seen> {
  const { job, octokit } = task;
  const { createCommitOnBranch } = await ask(
    octokit,
    MUTATION,
    {
      ...variablesOf(task),
      input: {
        branch: { repositoryNameWithOwner: `${task.at.owner}/${task.at.repo}`, branchName: job.branch },
        expectedHeadOid: head,
        message: finishMessage(job),
        fileChanges: { deletions: paths.map((path) => ({ path })) },
      },
    },
    mutationSchema,
  );
  const { repository, ...commit } = createCommitOnBranch.commit;
  return { tip: commit, state: repository };
}

/** Every file below the folder. Subfolders, which agents rarely make, cost one more call. */
async function filesIn(task: Task, { tip: at, state: { folder } }: Seen): Promise<string[]> {
  if (folder === null) return [];
  const own = folderOf(task.job);
  if (folder.every(({ type }) => type === "blob")) return folder.map(({ name }) => own + name);
  const { data } = await task.octokit.request("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", {
    ...task.at,
    tree_sha: at.tree.oid,
    recursive: "1",
  });
  return data.tree.filter(({ type, path }) => type !== "tree" && path?.startsWith(own)).map(({ path }) => path ?? "");
}

const cleaned = ({ tip: at, state: { base, pullRequest } }: Seen): Cleaned => ({
  head: at.oid,
  empty: base !== null && base.tree.oid === at.tree.oid,
  open: pullRequest?.state === "OPEN",
});

const USUAL = [TASK_FILE, CONFIG_FILE, RESULT_FILE, LOG_FILE];

/** Null: the branch is gone. */
export async function removeFolder(task: Task): Promise<Cleaned | { readonly trouble: Trouble } | null> {
  const { job } = task;
  const own = folderOf(job);
  const head = job.head_sha;
  if (!task.again && head !== null) {
    const first = await tried(task.now, () =>
      remove(
        task,
        head,
        USUAL.map((name) => own + name),
      ),
    );
    if (first.ok && first.value.state.folder === null) return cleaned(first.value);
    if (!first.ok && first.trouble.kind === "later") return first;
  }
  const second = await tried(task.now, async () => {
    const seen = await look(task);
    if (seen === null) return null;
    const left = await filesIn(task, seen);
    return cleaned(left.length === 0 ? seen : await remove(task, seen.tip.oid, left));
  });
  return second.ok ? second.value : { trouble: second.trouble };
}
