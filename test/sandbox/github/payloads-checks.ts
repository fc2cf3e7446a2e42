/** JSON of check runs, check suites, statuses, workflow runs and their jobs, the same in REST answers and webhooks. */
import type { CheckRun, CheckSuite, CommitStatus, Json, Repository, WorkflowJob, WorkflowRun } from "./model.ts";
import { appJson, repoApi, repoHtml, repositoryJson, userJson } from "./payloads.ts";
import { pushCommitJson } from "./payloads-commits.ts";
import { minimalPulls } from "./payloads-pulls.ts";
import { iso, isoOrNull, type World } from "./world.ts";

export function checkRunJson(world: World, repository: Repository, run: CheckRun): Json {
  const suite = repository.checkSuites.get(run.suiteId);
  const url = `${repoApi(world, repository)}/check-runs/${run.id}`;
  const html = suite?.runId
    ? `${repoHtml(world, repository)}/actions/runs/${suite.runId}/job/${run.id}`
    : `${repoHtml(world, repository)}/runs/${run.id}`;
  return {
    id: run.id,
    node_id: `CR_${run.id}`,
    name: run.name,
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion,
    started_at: iso(run.startedAt),
    completed_at: isoOrNull(run.completedAt),
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: run.output.text,
      annotations_count: run.output.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suiteId },
    app: appJson(world, run.appSlug),
    pull_requests: minimalPulls(world, repository, run.headSha),
    actions: run.actions,
  };
}

export function checkSuiteJson(world: World, repository: Repository, suite: CheckSuite): Json {
  const commit = repository.git.commit(suite.headSha);
  const url = `${repoApi(world, repository)}/check-suites/${suite.id}`;
  const runs = [...repository.checkRuns.values()].filter((run) => run.suiteId === suite.id);
  return {
    id: suite.id,
    node_id: `CS_${suite.id}`,
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status: suite.status,
    conclusion: suite.conclusion,
    url,
    before: suite.before,
    after: suite.headSha,
    pull_requests: minimalPulls(world, repository, suite.headSha),
    app: appJson(world, suite.appSlug),
    created_at: iso(suite.createdAt),
    updated_at: iso(suite.updatedAt),
    latest_check_runs_count: runs.length,
    check_runs_url: `${url}/check-runs`,
    rerequestable: true,
    runs_rerequestable: true,
    head_commit: commit ? pushCommitJson(world, repository, commit) : null,
  };
}

export function statusJson(world: World, repository: Repository, status: CommitStatus): Json {
  return {
    id: status.id,
    node_id: `SC_${status.id}`,
    url: `${repoApi(world, repository)}/statuses/${status.sha}`,
    avatar_url: "",
    state: status.state,
    context: status.context,
    description: status.description,
    target_url: status.targetUrl,
    created_at: iso(status.createdAt),
    updated_at: iso(status.createdAt),
    creator: userJson(world, status.creator),
  };
}

export function workflowRunJson(world: World, repository: Repository, run: WorkflowRun): Json {
  const api = `${repoApi(world, repository)}/actions`;
  const url = `${api}/runs/${run.id}`;
  const commit = repository.git.commit(run.headSha);
  const head = commit ? pushCommitJson(world, repository, commit) : null;
  const links = ["jobs", "logs", "artifacts", "cancel", "rerun"];
  return {
    id: run.id,
    name: run.name,
    node_id: `WFR_${run.id}`,
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.path,
    display_title: run.displayTitle,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflowId,
    workflow_url: `${api}/workflows/${run.workflowId}`,
    check_suite_id: run.suiteId,
    check_suite_node_id: `CS_${run.suiteId}`,
    check_suite_url: `${repoApi(world, repository)}/check-suites/${run.suiteId}`,
    url,
    html_url: `${repoHtml(world, repository)}/actions/runs/${run.id}`,
    pull_requests: minimalPulls(world, repository, run.headSha),
    created_at: iso(run.createdAt),
    updated_at: iso(run.updatedAt),
    run_started_at: iso(run.startedAt),
    actor: userJson(world, run.actor),
    triggering_actor: userJson(world, run.actor),
    ...Object.fromEntries(links.map((link) => [`${link}_url`, `${url}/${link}`])),
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    referenced_workflows: [],
    head_commit: head && {
      id: head.id,
      tree_id: head.tree_id,
      message: head.message,
      timestamp: head.timestamp,
      author: head.author,
      committer: head.committer,
    },
    repository: repositoryJson(world, repository),
    head_repository: repositoryJson(world, repository),
  };
}

export function workflowJobJson(world: World, repository: Repository, run: WorkflowRun, job: WorkflowJob): Json {
  const api = repoApi(world, repository);
  return {
    id: job.id,
    run_id: run.id,
    run_url: `${api}/actions/runs/${run.id}`,
    node_id: `CR_${job.id}`,
    head_sha: run.headSha,
    head_branch: run.headBranch,
    workflow_name: run.name,
    run_attempt: job.attempt,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${repoHtml(world, repository)}/actions/runs/${run.id}/job/${job.id}`,
    check_run_url: `${api}/check-runs/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: iso(job.createdAt),
    started_at: iso(job.startedAt ?? job.createdAt),
    completed_at: isoOrNull(job.completedAt),
    name: job.name,
    labels: ["ubuntu-24.04"],
    runner_id: job.startedAt === undefined ? null : 1,
    runner_name: job.startedAt === undefined ? null : "sandbox",
    runner_group_id: job.startedAt === undefined ? null : 1,
    runner_group_name: job.startedAt === undefined ? null : "sandbox",
    steps: job.steps.map((step) => ({ ...step, started_at: null, completed_at: null })),
  };
}
