/** GraphQL objects of pull requests and of `statusCheckRollup`. */
import * as z from "zod";
import { connection } from "./graphql-connection.ts";
import { type GraphqlContext, mustHave } from "./graphql-context.ts";
import { commentObject, userObject } from "./graphql-issues.ts";
import { queueFields } from "./graphql-merge-queue.ts";
import { reviewLists } from "./graphql-reviews.ts";
import { appIdOf } from "./graphql-rules.ts";
import {
  isRequired,
  latestCheckRuns,
  latestStatuses,
  mergeableOf,
  mergeableState,
  reviewDecision,
  rollupState,
} from "./mergeability.ts";
import type { CheckRun, CheckSuite, CommitStatus, Repository, WorkflowRun } from "./model.ts";
import { repoHtml } from "./payloads.ts";
import { checkRunJson } from "./payloads-checks.ts";
import { askMergeability } from "./rest-pulls.ts";
import type { PullIssue } from "./state.ts";
import { iso, isoOrNull } from "./world.ts";

const CHANGE_TYPES = { added: "ADDED", modified: "MODIFIED", removed: "DELETED" } as const;

export function pullObject(context: GraphqlContext, repository: Repository, issue: PullIssue): object {
  const { world } = context;
  const { pull } = issue;
  return {
    __typename: "PullRequest",
    id: `PR_${pull.id}`,
    databaseId: pull.id,
    number: issue.number,
    title: issue.title,
    body: issue.body ?? "",
    url: `${repoHtml(world, repository)}/pull/${issue.number}`,
    state: pull.merged ? "MERGED" : issue.state.toUpperCase(),
    closed: issue.state === "closed",
    merged: pull.merged,
    mergedAt: isoOrNull(pull.mergedAt),
    mergedBy: pull.mergedBy ? userObject(context, pull.mergedBy) : null,
    mergeCommit: () =>
      pull.merged && pull.mergeCommitSha ? context.objects.commit(context, repository, pull.mergeCommitSha) : null,
    isDraft: pull.draft,
    isCrossRepository: pull.fork !== undefined,
    ...queueFields(context, repository, issue),
    headRefOid: pull.headSha,
    headRefName: pull.headRef,
    baseRefOid: pull.baseSha,
    baseRefName: pull.baseRef,
    baseRef: () => context.objects.ref(context, repository, `refs/heads/${pull.baseRef}`),
    headRepository: () => (pull.fork ? null : context.objects.repository(context, repository)),
    baseRepository: () => context.objects.repository(context, repository),
    repository: () => context.objects.repository(context, repository),
    author: userObject(context, issue.user),
    createdAt: iso(issue.createdAt),
    updatedAt: iso(issue.updatedAt),
    mergeable: () => {
      const known = mergeableOf(repository, issue);
      askMergeability(world, { repository }, issue);
      return known === null ? "UNKNOWN" : known ? "MERGEABLE" : "CONFLICTING";
    },
    mergeStateStatus: () => {
      const state = mergeableState(repository, issue).toUpperCase();
      askMergeability(world, { repository }, issue);
      return state;
    },
    reviewDecision: reviewDecision(repository, issue),
    autoMergeRequest: autoMergeObject(context, issue),
    ...pullLists(context, repository, issue),
    ...reviewLists(context, repository, issue),
    statusCheckRollup: () => rollupObject(context, repository, pull.headSha),
  };
}

function pullLists(context: GraphqlContext, repository: Repository, issue: PullIssue) {
  const { git } = repository;
  const { pull } = issue;
  return {
    changedFiles: async () => (await filesOf(repository, issue)).length,
    files: async (args: unknown) => connection("files", await filesOf(repository, issue), args),
    commits: (args: unknown) =>
      connection(
        "commits",
        git
          .between(baseOf(repository, issue), pull.headSha)
          .map((commit) => ({ commit: context.objects.commit(context, repository, commit.sha) })),
        args,
      ),
    comments: (args: unknown) =>
      connection(
        "comments",
        issue.comments.map((comment) => commentObject(context, repository, issue, comment)),
        args,
      ),
    labels: (args: unknown) =>
      connection(
        "labels",
        issue.labels.map((name) => ({ __typename: "Label", name, id: `LA_${name}`, color: "ededed" })),
        args,
      ),
  };
}

function autoMergeObject(context: GraphqlContext, { pull: { autoMerge } }: PullIssue) {
  if (!autoMerge) return null;
  return {
    enabledAt: iso(autoMerge.enabledAt),
    enabledBy: userObject(context, autoMerge.cause.user),
    mergeMethod: autoMerge.method.toUpperCase(),
    commitHeadline: autoMerge.headline ?? null,
    commitBody: autoMerge.body ?? null,
  };
}

/** What the base brings by a merge into the head is nothing of the pull request. */
const baseOf = ({ git }: Repository, { pull }: PullIssue): string =>
  pull.merged ? pull.baseSha : (git.branch(pull.baseRef) ?? pull.baseSha);

async function filesOf(repository: Repository, issue: PullIssue) {
  const { git } = repository;
  const { pull } = issue;
  const base = baseOf(repository, issue);
  const start = (await git.mergeBase(base, pull.headSha)) ?? base;
  return (await git.patches(start, pull.headSha)).map((file) => ({
    path: file.filename,
    additions: file.additions,
    deletions: file.deletions,
    changeType: CHANGE_TYPES[file.status],
  }));
}

/** Null when nothing has reported on the commit. */
export function rollupObject(context: GraphqlContext, repository: Repository, sha: string): object | null {
  mustHave(context, repository, "checks:read", "statuses:read");
  const state = rollupState(repository, sha);
  if (state === undefined) return null;
  const contexts = [
    ...latestCheckRuns(repository, sha).map((run) => checkRunObject(context, repository, run)),
    ...latestStatuses(repository, sha).map((status) => statusObject(context, repository, status)),
  ];
  return {
    __typename: "StatusCheckRollup",
    id: `SCR_${sha}`,
    state,
    commit: () => context.objects.commit(context, repository, sha),
    contexts: (args: unknown) => connection("contexts", contexts, args),
  };
}

const requiredArguments = z.looseObject({ pullRequestNumber: z.number().nullish() });

function requiredIn(context: GraphqlContext, repository: Repository, name: string, app: string) {
  return (args: unknown) => {
    const number = requiredArguments.parse(args).pullRequestNumber;
    const issue = number ? context.world.state.pull(repository, number) : undefined;
    return issue ? isRequired(repository, issue.pull.baseRef, name, app) : false;
  };
}

/** A commit's suites, including those without a check run. */
export function suiteObjects(context: GraphqlContext, repository: Repository, sha: string): object[] {
  mustHave(context, repository, "checks:read");
  return [...repository.checkSuites.values()]
    .filter((suite) => suite.headSha === sha)
    .map((suite) => suiteObject(context, repository, suite));
}

function suiteObject(context: GraphqlContext, repository: Repository, suite: CheckSuite): object {
  const { world } = context;
  const run = suite.runId === undefined ? undefined : repository.runs.get(suite.runId);
  const checks = [...repository.checkRuns.values()].filter((check) => check.suiteId === suite.id);
  return {
    __typename: "CheckSuite",
    id: `CS_${suite.id}`,
    databaseId: suite.id,
    app: {
      __typename: "App",
      id: `A_${suite.appSlug}`,
      slug: suite.appSlug,
      databaseId: appIdOf(world, suite.appSlug),
      name: suite.appSlug,
    },
    status: suite.status.toUpperCase(),
    conclusion: suite.conclusion?.toUpperCase() ?? null,
    checkRuns: (args: unknown) =>
      connection(
        "checkRuns",
        checks.map((check) => checkRunObject(context, repository, check)),
        args,
      ),
    workflowRun: run ? workflowRunObject(context, repository, run) : null,
  };
}

const workflowRunObject = ({ world }: GraphqlContext, repository: Repository, run: WorkflowRun) => ({
  __typename: "WorkflowRun",
  id: `WFR_${run.id}`,
  databaseId: run.id,
  runNumber: run.number,
  event: run.event,
  url: `${repoHtml(world, repository)}/actions/runs/${run.id}`,
  workflow: {
    __typename: "Workflow",
    id: `W_${run.workflowId}`,
    databaseId: run.workflowId,
    name: run.name,
  },
  file: { __typename: "WorkflowRunFile", id: `WRF_${run.id}`, path: run.path },
});

function checkRunObject(context: GraphqlContext, repository: Repository, run: CheckRun) {
  const { world } = context;
  const suite = repository.checkSuites.get(run.suiteId);
  const json = checkRunJson(world, repository, run);
  return {
    __typename: "CheckRun",
    id: `CR_${run.id}`,
    databaseId: run.id,
    name: run.name,
    status: run.status.toUpperCase(),
    conclusion: run.conclusion?.toUpperCase() ?? null,
    detailsUrl: json.details_url,
    url: json.html_url,
    permalink: json.html_url,
    title: run.output.title,
    summary: run.output.summary,
    text: run.output.text,
    externalId: run.externalId,
    startedAt: iso(run.startedAt),
    completedAt: isoOrNull(run.completedAt),
    isRequired: requiredIn(context, repository, run.name, run.appSlug),
    checkSuite: suite ? suiteObject(context, repository, suite) : null,
  };
}

const statusObject = (context: GraphqlContext, repository: Repository, status: CommitStatus) => ({
  __typename: "StatusContext",
  id: `SC_${status.id}`,
  context: status.context,
  state: status.state.toUpperCase(),
  description: status.description,
  targetUrl: status.targetUrl,
  createdAt: iso(status.createdAt),
  creator: userObject(context, status.creator),
  isRequired: requiredIn(context, repository, status.context, status.creator.login.replace(/\[bot\]$/, "")),
});
