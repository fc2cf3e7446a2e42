/** REST: workflow runs, jobs, logs and dispatch. */

import { parse } from "yaml";
import * as z from "zod";
import { cancelRun, rerun, workflowIdOf, workflowJson } from "./actions-backend.ts";
import { notFound, parseBody, Refusal } from "./errors.ts";
import { trigger } from "./events.ts";
import type { Json, Repository, WorkflowJob, WorkflowRun } from "./model.ts";
import { repoHtml, repositoryJson, userJson } from "./payloads.ts";
import { workflowJobJson, workflowRunJson } from "./payloads-checks.ts";
import {
  created,
  noContent,
  numberParam,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  repositoryRoute,
} from "./router.ts";
import type { World } from "./world.ts";

function runParam(request: RepositoryRequest): WorkflowRun {
  const run = request.repository.runs.get(numberParam(request, "run_id"));
  if (!run) throw notFound();
  return run;
}

/** `path`: of one workflow alone. */
function listRuns(world: World, request: RepositoryRequest, path?: string): Reply {
  const { repository, query } = request;
  const [branch, event, status, sha] = ["branch", "event", "status", "head_sha"].map((name) => query.get(name));
  const found = [...repository.runs.values()]
    .filter((run) => path === undefined || run.path === path)
    .filter((run) => !branch || run.headBranch === branch)
    .filter((run) => !event || run.event === event)
    .filter((run) => !status || run.status === status || run.conclusion === status)
    .filter((run) => !sha || run.headSha === sha)
    .reverse();
  return paged(world, request, found, (page) => ({
    total_count: found.length,
    workflow_runs: page.map((run) => workflowRunJson(world, repository, run)),
  }));
}

function cancel(world: World, request: RepositoryRequest): Reply {
  if (!cancelRun(world, runParam(request))) throw new Refusal(409, "Cannot cancel a workflow run that is completed.");
  return { status: 202, body: {} };
}

function rerunRun(world: World, request: RepositoryRequest): Reply {
  if (!rerun(world, request.repository, runParam(request)))
    throw new Refusal(403, "The workflow run is already running");
  return created({});
}

function listJobs(world: World, request: RepositoryRequest): Reply {
  const run = runParam(request);
  const all = request.query.get("filter") === "all";
  const jobs = run.jobs.filter((job) => all || job.attempt === run.attempt);
  return paged(world, request, jobs, (page) => ({
    total_count: jobs.length,
    jobs: page.map((job) => workflowJobJson(world, request.repository, run, job)),
  }));
}

function jobParam(request: RepositoryRequest): { run: WorkflowRun; job: WorkflowJob } {
  const id = numberParam(request, "job_id");
  for (const run of request.repository.runs.values()) {
    const job = run.jobs.find((candidate) => candidate.id === id);
    if (job) return { run, job };
  }
  throw notFound();
}

/** 404 until the job has ended; then a link that needs no token. */
function jobLogs(world: World, request: RepositoryRequest): Reply {
  const { job } = jobParam(request);
  if (job.status !== "completed") throw notFound();
  return { status: 302, headers: { location: `${repoHtml(world, request.repository)}/logs/${job.id}.txt` } };
}

function workflowPaths(repository: Repository): string[] {
  const folder = repository.git.find(repository.defaultBranch, ".github/workflows");
  if (folder?.type !== "tree") return [];
  return repository.git.list(folder.sha, false).map((file) => `.github/workflows/${file.path}`);
}

function workflowParam(world: World, request: RepositoryRequest): string {
  const asked = request.params.workflow_id ?? "";
  const { repository } = request;
  const found = workflowPaths(repository).find(
    (path) => path.endsWith(`/${asked}`) || String(workflowIdOf(world, repository, path)) === asked,
  );
  if (!found) throw notFound();
  return found;
}

const nameOnly = z.looseObject({ name: z.string().optional(), on: z.unknown() });

function workflowFile(repository: Repository, ref: string, path: string): { name: string; on: unknown } {
  try {
    const file = nameOnly.parse(parse(repository.git.readFile(ref, path)?.toString("utf8") ?? ""));
    return { name: file.name ?? path, on: file.on };
  } catch {
    return { name: path, on: undefined };
  }
}

function listWorkflows(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const all = workflowPaths(repository).map(
    (path): Json =>
      workflowJson(world, repository, path, workflowFile(repository, repository.defaultBranch, path).name),
  );
  return paged(world, request, all, (page) => ({ total_count: all.length, workflows: page }));
}

function getWorkflow(world: World, request: RepositoryRequest): Reply {
  const path = workflowParam(world, request);
  const { name } = workflowFile(request.repository, request.repository.defaultBranch, path);
  return ok(workflowJson(world, request.repository, path, name));
}

const INPUTS_LIMIT = 25;
const dispatchBody = z.object({
  ref: z.string(),
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

const hasDispatch = (on: unknown): boolean =>
  on === "workflow_dispatch" ||
  (Array.isArray(on)
    ? on.includes("workflow_dispatch")
    : typeof on === "object" && on !== null && "workflow_dispatch" in on);

function dispatch(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const path = workflowParam(world, request);
  const body = parseBody(dispatchBody, request.body);
  if (Object.keys(body.inputs).length > INPUTS_LIMIT)
    throw new Refusal(422, "You may only define up to 25 `inputs` for a `workflow_dispatch` event");
  const ref = body.ref.startsWith("refs/") ? body.ref : `refs/heads/${body.ref}`;
  const sha = repository.git.refs.get(ref) ?? repository.git.resolve(body.ref);
  if (!sha) throw new Refusal(422, `No ref found for: ${body.ref}`);
  if (!hasDispatch(workflowFile(repository, sha, path).on))
    throw new Refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
  const cause = request.cause();
  const inputs = Object.fromEntries(Object.entries(body.inputs).map(([name, value]) => [name, String(value)]));
  trigger(world, {
    event: "workflow_dispatch",
    repository: { owner: repository.owner.login, name: repository.name },
    sha,
    ref,
    headBranch: ref.replace(/^refs\/(?:heads|tags)\//, ""),
    headSha: sha,
    actor: cause.user.login,
    byWorkflowToken: cause.byWorkflowToken,
    payload: {
      inputs,
      ref,
      workflow: path,
      repository: repositoryJson(world, repository),
      sender: userJson(world, cause.user),
    },
    workflowPath: path,
    inputs,
  });
  return noContent;
}

export const actionRoutes: readonly Route[] = [
  repositoryRoute("GET /actions/runs", "actions:read", (world, request) => listRuns(world, request)),
  repositoryRoute("GET /actions/runs/:run_id", "actions:read", (world, request) =>
    ok(workflowRunJson(world, request.repository, runParam(request))),
  ),
  repositoryRoute("POST /actions/runs/:run_id/cancel", "actions:write", cancel),
  repositoryRoute("POST /actions/runs/:run_id/rerun", "actions:write", rerunRun),
  repositoryRoute("GET /actions/runs/:run_id/jobs", "actions:read", listJobs),
  repositoryRoute("GET /actions/jobs/:job_id", "actions:read", (world, request) => {
    const { run, job } = jobParam(request);
    return ok(workflowJobJson(world, request.repository, run, job));
  }),
  repositoryRoute("GET /actions/jobs/:job_id/logs", "actions:read", jobLogs),
  repositoryRoute("GET /actions/workflows", "actions:read", listWorkflows),
  repositoryRoute("GET /actions/workflows/:workflow_id", "actions:read", getWorkflow),
  repositoryRoute("GET /actions/workflows/:workflow_id/runs", "actions:read", (world, request) =>
    listRuns(world, request, workflowParam(world, request)),
  ),
  repositoryRoute("POST /actions/workflows/:workflow_id/dispatches", "actions:write", dispatch),
];
