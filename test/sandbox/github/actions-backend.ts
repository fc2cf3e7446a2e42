/** The runner's interface to the local GitHub (`../ports.ts`): runs, jobs, logs and GITHUB_TOKENs. */
import type { ActionsBackend, JobStep, NewRun, RepositoryName, RunConclusion, RunHandle, RunStatus } from "../ports.ts";
import { ACTIONS_SLUG, createCheckRun, newSuite, setSuite, updateCheckRun } from "./checks.ts";
import { emit } from "./events.ts";
import type { Cause, Json, Repository, WorkflowJob, WorkflowRun } from "./model.ts";
import { repoApi, repoHtml } from "./payloads.ts";
import { workflowJobJson, workflowRunJson } from "./payloads-checks.ts";
import type { World } from "./world.ts";

/** Log size limit of a job; GitHub cuts long logs too. */
const LOG_LIMIT = 8 * 1024 * 1024;

const byActions = (world: World): Cause => ({ user: world.state.actionsBot, byWorkflowToken: true });
const causeOf = (run: WorkflowRun): Cause => ({ user: run.actor, byWorkflowToken: true });

export function actionsBackend(world: World): ActionsBackend {
  const named = ({ owner, name }: RepositoryName) => must(world.state.repository(owner, name), `${owner}/${name}`);
  return {
    url: world.url,
    apiUrl: world.apiUrl,
    onTrigger: (listener) => void world.triggers.add(listener),
    onCancel: (listener) => void world.cancels.add(listener),
    onRerun: (listener) => void world.reruns.add(listener),
    workflowFiles: async (repository, sha) => workflowFiles(named(repository), sha),
    commitMessage: async (repository, sha) => named(repository).git.commit(sha)?.message ?? "",
    secrets: (repository) => ({ ...named(repository).secrets }),
    variables: (repository) => ({ ...named(repository).variables }),
    workflowToken: (repository, permissions) => {
      // Workflow files spell `pull-requests`, the API `pull_requests`.
      const normal = Object.entries(permissions).map(([name, level]) => [name.replaceAll("-", "_"), level]);
      const { value } = world.tokens.createWorkflowToken(named(repository), world.state.actionsBot, {
        metadata: "read",
        ...Object.fromEntries(normal),
      });
      return value;
    },
    revokeToken: (token) => world.tokens.revoke(token),
    openIdentity: (identity) => world.oidc.open(identity),
    closeIdentity: (token) => world.oidc.close(token),
    openCaches: (identity) => world.caches.open(identity),
    closeCaches: (token) => world.caches.close(token),
    createRun: (run) => createRun(world, named(run.repository), run),
    startRun: (runId) => startRun(world, runId),
    completeRun: (runId, conclusion) => completeRun(world, runId, conclusion),
    createJob: (runId, name) => createJob(world, runId, name),
    updateJob: (jobId, change) => updateJob(world, jobId, change),
    appendLog: (jobId, text) => {
      const { job } = must(world.state.job(jobId), `job ${jobId}`);
      job.log = `${job.log}${text}`.slice(0, LOG_LIMIT);
    },
    setSummary: (jobId, markdown) => {
      must(world.state.job(jobId), `job ${jobId}`).job.summary = markdown;
    },
  };
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the runner names ${what}, which does not exist`);
  return value;
}

async function workflowFiles(repository: Repository, sha: string): Promise<ReadonlyMap<string, string>> {
  const folder = repository.git.find(sha, ".github/workflows");
  const files = folder?.type === "tree" ? repository.git.list(folder.sha, false) : [];
  return new Map(
    files
      .filter((file) => file.type === "blob" && /\.ya?ml$/.test(file.path))
      .map((file) => [`.github/workflows/${file.path}`, repository.git.blob(file.sha)?.toString("utf8") ?? ""]),
  );
}

export function workflowIdOf(world: World, repository: Repository, path: string): number {
  const known = repository.workflowIds.get(path);
  if (known !== undefined) return known;
  const id = world.state.nextId();
  repository.workflowIds.set(path, id);
  return id;
}

function createRun(world: World, repository: Repository, input: NewRun): RunHandle {
  const now = world.now();
  const workflowId = workflowIdOf(world, repository, input.path);
  const id = world.state.nextId();
  const before = repository.git.commit(input.headSha)?.parents[0] ?? null;
  const suite = newSuite(world, repository, {
    appSlug: ACTIONS_SLUG,
    headSha: input.headSha,
    headBranch: input.headBranch,
    before,
    runId: id,
  });
  const run: WorkflowRun = {
    id,
    workflowId,
    number: [...repository.runs.values()].filter((other) => other.workflowId === workflowId).length + 1,
    path: input.path,
    name: input.name,
    event: input.event,
    displayTitle: input.displayTitle,
    headBranch: input.headBranch,
    headSha: input.headSha,
    actor: world.state.ensureUser(input.actor),
    suiteId: suite.id,
    createdAt: now,
    attempt: 1,
    status: "queued",
    conclusion: null,
    startedAt: now,
    updatedAt: now,
    cancelRequested: false,
    jobs: [],
  };
  repository.runs.set(id, run);
  runEvent(world, repository, run, "requested");
  return { id, attempt: 1, htmlUrl: `${repoHtml(world, repository)}/actions/runs/${id}` };
}

function runEvent(world: World, repository: Repository, run: WorkflowRun, action: string): void {
  const result = run.conclusion ?? run.status;
  world.feed.tell("run", repository, `run ${run.name} on ${run.headBranch} (attempt ${run.attempt}): ${result}`);
  emit(world, repository, "workflow_run", causeOf(run), {
    action,
    workflow_run: workflowRunJson(world, repository, run),
    workflow: workflowJson(world, repository, run.path, run.name),
  });
}

export function workflowJson(world: World, repository: Repository, path: string, name: string): Json {
  const id = workflowIdOf(world, repository, path);
  const at = new Date(repository.createdAt).toISOString();
  return {
    id,
    node_id: `W_${id}`,
    name,
    path,
    state: "active",
    created_at: at,
    updated_at: at,
    url: `${repoApi(world, repository)}/actions/workflows/${id}`,
    html_url: `${repoHtml(world, repository)}/blob/${repository.defaultBranch}/${path}`,
    badge_url: `${repoHtml(world, repository)}/workflows/${encodeURIComponent(name)}/badge.svg`,
  };
}

function startRun(world: World, runId: number): void {
  const { repository, run } = must(world.state.run(runId), `run ${runId}`);
  if (run.status !== "queued") return;
  run.status = "in_progress";
  run.startedAt = world.now();
  run.updatedAt = run.startedAt;
  const suite = repository.checkSuites.get(run.suiteId);
  if (suite) setSuite(world, repository, suite, { status: "in_progress", conclusion: null }, causeOf(run));
  runEvent(world, repository, run, "in_progress");
}

function completeRun(world: World, runId: number, conclusion: RunConclusion): void {
  const { repository, run } = must(world.state.run(runId), `run ${runId}`);
  if (run.status === "completed") return;
  run.status = "completed";
  run.conclusion = conclusion;
  run.updatedAt = world.now();
  const suite = repository.checkSuites.get(run.suiteId);
  if (suite) setSuite(world, repository, suite, { status: "completed", conclusion }, causeOf(run));
  runEvent(world, repository, run, "completed");
  world.considerAutoMerge(repository, run.headSha);
}

function createJob(world: World, runId: number, name: string): number {
  const { repository, run } = must(world.state.run(runId), `run ${runId}`);
  const suite = must(repository.checkSuites.get(run.suiteId), `suite ${run.suiteId}`);
  const check = createCheckRun(world, repository, suite, { name }, byActions(world));
  const job: WorkflowJob = {
    id: check.id,
    runId,
    attempt: run.attempt,
    name,
    status: "queued",
    conclusion: null,
    steps: [],
    log: "",
    summary: "",
    createdAt: world.now(),
    startedAt: undefined,
    completedAt: undefined,
  };
  run.jobs.push(job);
  jobEvent(world, repository, run, job, "queued");
  return job.id;
}

function updateJob(
  world: World,
  jobId: number,
  change: { status: RunStatus; conclusion?: RunConclusion; steps?: readonly JobStep[] },
): void {
  const { repository, run, job, check } = must(world.state.job(jobId), `job ${jobId}`);
  const before = job.status;
  if (before === "completed") return;
  job.status = change.status;
  job.steps = change.steps ?? job.steps;
  if (change.status !== "queued") job.startedAt ??= world.now();
  if (change.status === "completed") {
    job.completedAt = world.now();
    job.conclusion = change.conclusion ?? "success";
  }
  if (before !== change.status) {
    const conclusion = job.conclusion ?? undefined;
    updateCheckRun(world, repository, check, { status: change.status, conclusion }, byActions(world));
    if (change.status !== "queued") jobEvent(world, repository, run, job, change.status);
  }
}

function jobEvent(world: World, repository: Repository, run: WorkflowRun, job: WorkflowJob, action: string): void {
  world.feed.tell("job", repository, `job ${run.name} / ${job.name}: ${job.conclusion ?? job.status}`);
  emit(world, repository, "workflow_job", causeOf(run), {
    action,
    workflow_job: workflowJobJson(world, repository, run, job),
  });
}

/** A REST request to cancel; the runner ends the run. False when the run is already over. */
export function cancelRun(world: World, run: WorkflowRun): boolean {
  if (run.status === "completed") return false;
  run.cancelRequested = true;
  for (const listener of world.cancels) listener(run.id);
  return true;
}

export function rerun(world: World, repository: Repository, run: WorkflowRun): boolean {
  if (run.status !== "completed") return false;
  run.attempt += 1;
  run.status = "queued";
  run.conclusion = null;
  run.cancelRequested = false;
  run.updatedAt = world.now();
  const suite = repository.checkSuites.get(run.suiteId);
  if (suite) setSuite(world, repository, suite, { status: "queued", conclusion: null }, causeOf(run));
  for (const listener of world.reruns) listener(run.id, run.attempt);
  return true;
}
