/** Reads everything that pushing a brief needs, in one query: base, settings, workflow, and the job's branch. */
import * as z from "zod";
import { jobFolder } from "../../contracts/brief.ts";
import type { Job, Repository } from "../../domain/job/job.ts";
import type { ObservedRepository } from "../../domain/repository/repository.ts";
import { ask, BLOB, blobSchema, readTreeSchema, TREE, treeObjectSchema } from "../client/graphql.ts";
import type { GitPushes } from "../git/push.ts";
import {
  type AutomationBlobs,
  automationOf,
  CRONS_PATH,
  TRIGGERS_PATH,
} from "../repository-settings/automation-files.ts";
import { parseSettingsBlob, SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { usesRunAction } from "../repository-settings/workflow-file.ts";
import { DISCUSSION, discussionSchema, type ReadComments } from "./discussion.ts";
import { FAILED_CHECKS, type FailedCheck, failedChecksSchema } from "./failed-logs.ts";
import type { Task } from "./task.ts";

export const WORKFLOW_PATH = ".github/workflows/run-job.yml";
/** The folder that holds all jobs' folders. */
const JOBS = jobFolder("").split("/")[0];

const WORKFLOW = `... on Blob { oid text isTruncated }`;
const ON_TREE = `... on Tree { ${TREE} }`;
const QUERY = `
query BranchState($owner: String!, $repo: String!, $base: String!, $workflow: String!, $settings: String!, $crons: String!, $triggers: String!, $branch: String!, $folder: String!, $parent: String!, $baseJobs: String!, $branchWorkflow: String!, $branchJobs: String!, $asked: Boolean!, $trees: Boolean!, $issue: Int!, $discussed: Boolean!) {
  viewer @include(if: $trees) { login databaseId }
  repository(owner: $owner, name: $repo) {
    databaseId
    isEmpty
    defaultBranchRef { name }
    base: object(expression: $base) { ... on Commit { oid tree { oid entries @include(if: $trees) { name mode oid } } } }
    baseJobs: object(expression: $baseJobs) @include(if: $trees) { ${ON_TREE} }
    workflow: object(expression: $workflow) { ${WORKFLOW} }
    settings: object(expression: $settings) { ${BLOB} }
    crons: object(expression: $crons) { ${BLOB} }
    triggers: object(expression: $triggers) { ${BLOB} }
    branch: ref(qualifiedName: $branch) @include(if: $asked) { target { ... on Commit { oid message tree { ${TREE} } ${FAILED_CHECKS} } } }
    branchWorkflow: object(expression: $branchWorkflow) @include(if: $asked) { ${WORKFLOW} }
    branchJobs: object(expression: $branchJobs) @include(if: $asked) { ${ON_TREE} }
    folder: object(expression: $folder) @include(if: $asked) { ${ON_TREE} }
    parent: ref(qualifiedName: $parent) @include(if: $asked) { name }
    ${DISCUSSION}
  }
}`;

const workflowSchema = z
  .object({ oid: z.string(), text: z.string().nullish(), isTruncated: z.boolean().nullish() })
  .transform(({ text, isTruncated }) => ({ text: text ?? null, isTruncated: isTruncated ?? false }))
  .nullable()
  .catch(null);

const commit = z.object({ oid: z.string(), tree: readTreeSchema });

const schema = z.object({
  viewer: z.object({ login: z.string(), databaseId: z.number().nullish() }).nullish(),
  repository: z
    .object({
      databaseId: z.number(),
      isEmpty: z.boolean(),
      defaultBranchRef: z.object({ name: z.string() }).nullable(),
      base: commit.nullable().catch(null),
      workflow: workflowSchema,
      branchWorkflow: workflowSchema.optional(),
      settings: blobSchema,
      crons: blobSchema,
      triggers: blobSchema,
      branch: z
        .object({ target: commit.extend({ message: z.string(), statusCheckRollup: failedChecksSchema }) })
        .nullish(),
      baseJobs: treeObjectSchema.optional(),
      branchJobs: treeObjectSchema.optional(),
      folder: treeObjectSchema.optional(),
      parent: z.object({ name: z.string() }).nullish(),
      issueOrPullRequest: discussionSchema,
    })
    .nullable(),
});

type Read = z.infer<typeof schema>;

export interface Tip {
  readonly sha: string;
  readonly tree: string;
}

export interface BranchState {
  readonly repository_id: number;
  /** Null when the repository has no commit. */
  readonly default_branch: string | null;
  /** Null when the requested branch does not exist. */
  readonly base: (Tip & { readonly branch: string }) | null;
  readonly has_workflow: boolean;
  /** Whether that workflow keeps runs inside their cap. */
  readonly has_gateway: boolean;
  /** Null when the file does not exist. */
  readonly settings: ReturnType<typeof parseSettingsBlob>;
  /** The files of the default branch that say what starts by itself. */
  readonly automation: AutomationBlobs;
  /** Null when the job's branch does not exist. `has_gateway`: of its own workflow, which runs its next brief. */
  readonly branch: (Tip & { readonly message: string; readonly has_gateway: boolean }) | null;
  /**
   * A branch named like the first part of the job's branch, which git does not allow at the same time. Null when there
   * is none.
   */
  readonly in_the_way: string | null;
  /** Names in the job's folder on its branch. */
  readonly present: readonly string[];
  /** Failed checks of the branch's head that have a log. */
  readonly failed: readonly FailedCheck[];
  /** The issue's newest comments; null when they were not asked for. */
  readonly comments: ReadComments;
}

/** Keeps what a push needs to know: the author, the roots, the folder of all jobs, and the job's. */
function learn(
  pushes: GitPushes,
  { base, baseJobs, branch, branchJobs, folder }: NonNullable<Read["repository"]>,
  viewer: Read["viewer"],
): void {
  if (viewer) pushes.learnAuthor({ login: viewer.login, id: viewer.databaseId ?? null });
  for (const tree of [base?.tree, baseJobs, branch?.target.tree, branchJobs, folder])
    if (tree) pushes.trees.learn(tree.id, tree.entries);
}

/**
 * `job` null: reads the default branch only. `discussed`: the issue whose comments are read too. Returns null when the
 * repository is not visible.
 */
export async function readBranchState(
  { octokit, at, pushes = null }: Pick<Task, "octokit" | "at"> & Partial<Pick<Task, "pushes">>,
  job: Job | null,
  discussed: number | null = null,
): Promise<BranchState | null> {
  const wanted = job?.base.branch ?? null;
  const from = wanted === null ? "HEAD" : `refs/heads/${wanted}`;
  const parent = job?.branch.split("/")[0] ?? "";
  const { repository, viewer } = await ask(
    octokit,
    QUERY,
    {
      ...at,
      base: from,
      workflow: `${from}:${WORKFLOW_PATH}`,
      // From the default branch only: another branch must not bring its own rules.
      settings: `HEAD:${SETTINGS_PATH}`,
      crons: `HEAD:${CRONS_PATH}`,
      triggers: `HEAD:${TRIGGERS_PATH}`,
      branch: job === null ? "" : `refs/heads/${job.branch}`,
      folder: job === null ? "" : `refs/heads/${job.branch}:${jobFolder(job.id)}`,
      parent: `refs/heads/${parent}`,
      baseJobs: `${from}:${JOBS}`,
      branchWorkflow: job === null ? "" : `refs/heads/${job.branch}:${WORKFLOW_PATH}`,
      branchJobs: job === null ? "" : `refs/heads/${job.branch}:${JOBS}`,
      asked: job !== null,
      trees: pushes !== null,
      issue: discussed ?? 0,
      discussed: discussed !== null,
    },
    schema,
  );
  if (repository === null) return null;
  if (pushes !== null) learn(pushes, repository, viewer);
  const default_branch = repository.isEmpty ? null : (repository.defaultBranchRef?.name ?? null);
  const branch = wanted ?? default_branch;
  const tip = repository.branch?.target;
  const settings = parseSettingsBlob(repository.settings);
  return {
    repository_id: repository.databaseId,
    default_branch,
    base:
      repository.base === null || branch === null
        ? null
        : { branch, sha: repository.base.oid, tree: repository.base.tree.id },
    has_workflow: repository.workflow !== null,
    has_gateway: usesRunAction(repository.workflow),
    settings,
    automation: { settings, crons: repository.crons, triggers: repository.triggers },
    branch: tip
      ? {
          sha: tip.oid,
          tree: tip.tree.id,
          message: tip.message,
          has_gateway: usesRunAction(repository.branchWorkflow ?? null),
        }
      : null,
    in_the_way: repository.parent ? parent : null,
    present: (repository.folder?.entries ?? []).map(({ name }) => name),
    failed: tip?.statusCheckRollup ?? [],
    comments: repository.issueOrPullRequest,
  };
}

/** Repository metadata that this reading reveals; a reading of another branch reveals nothing about the default one. */
export function observedOf(
  state: BranchState,
  { owner, name, installation_id }: Repository,
  known: ObservedRepository | null,
): ObservedRepository | null {
  if (state.base === null || state.base.branch !== state.default_branch) return null;
  const read = state.settings;
  return {
    owner,
    name,
    id: state.repository_id,
    installation_id,
    base: {
      branch: state.base.branch,
      head_sha: state.base.sha,
      tree_sha: state.base.tree,
      has_workflow: state.has_workflow,
      has_gateway: state.has_gateway,
    },
    settings: read === null ? null : read.ok ? read.settings : (known?.settings ?? null),
    settings_problem: read === null || read.ok ? null : read.problem,
    automation: automationOf(state.automation, known?.automation ?? null),
  };
}
