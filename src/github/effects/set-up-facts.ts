/** Reads how far the set-up of a repository is: its files, the set-up pull request, its rules, its workflows. */
import * as z from "zod";
import { MERGE_METHODS } from "../../contracts/settings.ts";
import type { FilesOfBranch, SetUpFacts } from "../../domain/repository/repository.ts";
import { SET_UP_BRANCH } from "../../domain/repository/set-up.ts";
import { ask, BLOB, blobSchema } from "../client/graphql.ts";
import { parseSettingsBlob, SETTINGS_PATH } from "../repository-settings/settings-file.ts";
import { workflowFactsOf } from "../repository-settings/workflow-file.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import { branchRulesSchema } from "./facts-query.ts";
import { readTriggers, SIZES, sizesSchema, WORKFLOWS_FOLDER } from "./pull-request-workflows.ts";
import type { Task } from "./task.ts";

const MAX_CHECKS = 50;
/** Pull requests of the branch's name, those of forks among them. */
const MAX_PULLS = 10;

const QUERY = `
query SetUp($owner: String!, $repo: String!, $branch: String!, $ref: String!, $settings: String!, $workflow: String!, $workflows: String!, $offeredSettings: String!, $offeredWorkflow: String!) {
  repository(owner: $owner, name: $repo) {
    url
    isEmpty
    isPrivate
    isArchived
    isFork
    autoMergeAllowed
    mergeCommitAllowed
    squashMergeAllowed
    rebaseMergeAllowed
    defaultBranchRef {
      name
      target { ... on Commit { oid tree { oid } } }
      refUpdateRule { requiredStatusCheckContexts }
      rules(first: 100) { nodes { parameters { ... on RequiredStatusChecksParameters { requiredStatusChecks { context } } } } }
    }
    settings: object(expression: $settings) { ${BLOB} }
    workflow: object(expression: $workflow) { ${BLOB} }
    workflows: object(expression: $workflows) { ${SIZES} }
    offered: ref(qualifiedName: $ref) { target { oid } }
    offeredSettings: object(expression: $offeredSettings) { ${BLOB} }
    offeredWorkflow: object(expression: $offeredWorkflow) { ${BLOB} }
    pullRequests(headRefName: $branch, first: ${MAX_PULLS}, orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes { number state isCrossRepository }
    }
  }
}`;

const target = z.object({ oid: z.string() });

const branchSchema = branchRulesSchema.extend({ name: z.string(), target: target.extend({ tree: target }) });

const schema = z.object({
  repository: z
    .object({
      url: z.string(),
      isEmpty: z.boolean(),
      isPrivate: z.boolean(),
      isArchived: z.boolean(),
      isFork: z.boolean(),
      autoMergeAllowed: z.boolean(),
      mergeCommitAllowed: z.boolean(),
      squashMergeAllowed: z.boolean(),
      rebaseMergeAllowed: z.boolean(),
      defaultBranchRef: branchSchema.nullable(),
      settings: blobSchema,
      workflow: blobSchema,
      workflows: sizesSchema,
      offered: z.object({ target }).nullable(),
      offeredSettings: blobSchema,
      offeredWorkflow: blobSchema,
      pullRequests: z.object({
        nodes: z.array(
          z.object({
            number: z.number(),
            state: z.enum(["OPEN", "CLOSED", "MERGED"]),
            isCrossRepository: z.boolean(),
          }),
        ),
      }),
    })
    .nullable(),
});

type Answer = NonNullable<z.output<typeof schema>["repository"]>;
type Blob = z.output<typeof blobSchema>;

const STATES = { OPEN: "open", CLOSED: "closed", MERGED: "merged" } as const;

function filesOf(settings: Blob, workflow: Blob): FilesOfBranch {
  const read = parseSettingsBlob(settings);
  return {
    settings: read === null ? null : { problem: read.ok ? null : read.problem },
    workflow: workflowFactsOf(workflow),
  };
}

function requiredChecks({ defaultBranchRef: branch }: Answer): string[] {
  const classic = branch?.refUpdateRule?.requiredStatusCheckContexts ?? [];
  const rules = (branch?.rules?.nodes ?? []).flatMap(({ parameters }) => parameters?.requiredStatusChecks ?? []);
  const names = [...classic, ...rules.map(({ context }) => context)].filter((name) => name !== null);
  return [...new Set(names)].slice(0, MAX_CHECKS);
}

type PullRequest = NonNullable<SetUpFacts["pull_request"]>;
type Reading = Pick<Task, "octokit" | "at">;

/** Those of this repository's own branch, the newest first. Strangers may have opened any number from forks. */
async function ownPullRequests({ octokit, at }: Reading, { pullRequests: { nodes } }: Answer): Promise<PullRequest[]> {
  if (nodes.length < MAX_PULLS)
    return nodes
      .filter(({ isCrossRepository }) => !isCrossRepository)
      .map(({ number, state }) => ({ number, state: STATES[state] }));
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls", {
    ...{ ...at, head: `${at.owner}:${SET_UP_BRANCH}`, state: "all", per_page: 100 },
  });
  return data
    .filter(({ head, base }) => head.repo?.id === base.repo.id)
    .map(({ number, state, merged_at }) => ({
      number,
      state: merged_at !== null ? "merged" : state === "open" ? "open" : "closed",
    }));
}

async function pullRequestOf(reading: Reading, answer: Answer): Promise<PullRequest | null> {
  const own = await ownPullRequests(reading, answer);
  return own.find(({ state }) => state === "open") ?? own[0] ?? null;
}

/** Null: the repository is not visible. */
export async function readSetUpFacts({ octokit, at }: Reading): Promise<SetUpFacts | null> {
  const on = (path: string): string => `refs/heads/${SET_UP_BRANCH}:${path}`;
  const { repository } = await ask(
    octokit,
    QUERY,
    {
      ...at,
      branch: SET_UP_BRANCH,
      ref: `refs/heads/${SET_UP_BRANCH}`,
      ...{
        settings: `HEAD:${SETTINGS_PATH}`,
        workflow: `HEAD:${WORKFLOW_PATH}`,
        workflows: `HEAD:${WORKFLOWS_FOLDER}`,
      },
      ...{ offeredSettings: on(SETTINGS_PATH), offeredWorkflow: on(WORKFLOW_PATH) },
    },
    schema,
  );
  if (repository === null) return null;
  const allowed = {
    merge: repository.mergeCommitAllowed,
    squash: repository.squashMergeAllowed,
    rebase: repository.rebaseMergeAllowed,
  };
  const branch = repository.isEmpty ? null : repository.defaultBranchRef;
  return {
    url: repository.url,
    default_branch: branch?.name ?? null,
    head: branch === null ? null : { sha: branch.target.oid, tree: branch.target.tree.oid },
    is_private: repository.isPrivate,
    archived: repository.isArchived,
    fork: repository.isFork,
    files: filesOf(repository.settings, repository.workflow),
    offered:
      repository.offered === null
        ? null
        : {
            ...filesOf(repository.offeredSettings, repository.offeredWorkflow),
            sha: repository.offered.target.oid,
          },
    pull_request: await pullRequestOf({ octokit, at }, repository),
    ci_on_pull_request: branch && (await readTriggers({ octokit, at }, branch.target.oid, repository.workflows)),
    merge_methods: MERGE_METHODS.filter((method) => allowed[method]),
    auto_merge_allowed: repository.autoMergeAllowed,
    required_checks: requiredChecks(repository),
  };
}
