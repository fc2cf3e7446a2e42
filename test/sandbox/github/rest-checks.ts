/** REST: check runs, check suites and commit statuses, with the limits of the Checks API. */
import * as z from "zod";
import * as checks from "./checks.ts";
import { notAccessible, notFound, parseBody, Refusal, validationFailed } from "./errors.ts";
import { latestCheckRuns, latestStatuses } from "./mergeability.ts";
import type { CheckRun, CheckSuite } from "./model.ts";
import { repoApi, repositoryJson } from "./payloads.ts";
import { checkRunJson, checkSuiteJson, statusJson } from "./payloads-checks.ts";
import {
  created,
  numberParam,
  ok,
  paged,
  type Reply,
  type RepositoryRequest,
  type Route,
  repositoryRoute,
} from "./router.ts";
import type { World } from "./world.ts";

const TEXT_LIMIT = 65_535;
const ANNOTATIONS_LIMIT = 50;
const ACTIONS_LIMIT = 3;

const text = z.string().max(TEXT_LIMIT, `is too long (maximum is ${TEXT_LIMIT} characters)`);
const annotation = z.looseObject({
  path: z.string(),
  start_line: z.number(),
  end_line: z.number(),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string().max(65_536),
  title: z.string().max(255).optional(),
});
const action = z.object({
  label: z.string().max(20, "is too long (maximum is 20 characters)"),
  description: z.string().max(40, "is too long (maximum is 40 characters)"),
  identifier: z.string().max(20, "is too long (maximum is 20 characters)"),
});
const time = z.iso
  .datetime({ offset: true })
  .transform((at) => Date.parse(at))
  .optional();
const common = {
  details_url: z.url().optional(),
  external_id: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed"]).optional(),
  started_at: time,
  completed_at: time,
  conclusion: z
    .enum(["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"])
    .optional(),
  actions: z.array(action).max(ACTIONS_LIMIT, `exceeds a maximum quantity of ${ACTIONS_LIMIT}`).optional(),
};
const annotations = z
  .array(annotation)
  .max(ANNOTATIONS_LIMIT, `exceeds a maximum quantity of ${ANNOTATIONS_LIMIT}`)
  .optional();
const newRun = z.object({
  ...common,
  name: z.string().min(1),
  head_sha: z.string(),
  output: z.object({ title: z.string(), summary: text, text: text.optional(), annotations }).optional(),
});
const runPatch = z.object({
  ...common,
  name: z.string().min(1).optional(),
  output: z.object({ title: z.string().optional(), summary: text, text: text.optional(), annotations }).optional(),
});

/** Checks belong to Apps: the sandbox's own, or Actions for a GITHUB_TOKEN. */
function appOf(world: World, request: RepositoryRequest): string {
  if (request.actor.kind !== "token") throw new Refusal(403, "You must authenticate via a GitHub App.");
  return request.actor.token.kind === "workflow" ? checks.ACTIONS_SLUG : world.appSlug;
}

function toInput(body: z.infer<typeof runPatch>): checks.CheckInput {
  if (body.status === "completed" && body.conclusion === undefined)
    throw validationFailed("CheckRun", "Conclusion must be provided when status is completed", { field: "conclusion" });
  return {
    name: body.name,
    status: body.status,
    conclusion: body.conclusion,
    startedAt: body.started_at,
    completedAt: body.completed_at,
    externalId: body.external_id,
    detailsUrl: body.details_url,
    output: body.output,
    actions: body.actions,
  };
}

function suiteFor(world: World, request: RepositoryRequest, appSlug: string, headSha: string): CheckSuite {
  const { repository } = request;
  const suites = [...repository.checkSuites.values()].filter(
    (suite) => suite.headSha === headSha && suite.appSlug === appSlug,
  );
  // A check created with GITHUB_TOKEN is filed under some workflow of the commit.
  const known = suites[0];
  if (known) return known;
  const branch = [...repository.git.refs.list("refs/heads/")].find(([, sha]) => sha === headSha)?.[0];
  return checks.newSuite(world, repository, {
    appSlug,
    headSha,
    headBranch: branch?.slice("refs/heads/".length) ?? null,
    before: null,
  });
}

function createRun(world: World, request: RepositoryRequest): Reply {
  const appSlug = appOf(world, request);
  const body = parseBody(newRun, request.body);
  if (!request.repository.git.commit(body.head_sha))
    throw new Refusal(422, `No commit found for SHA: ${body.head_sha}`);
  const input = { ...toInput(body), name: body.name };
  const suite = suiteFor(world, request, appSlug, body.head_sha);
  const run = checks.createCheckRun(world, request.repository, suite, input, request.cause());
  return created(checkRunJson(world, request.repository, run));
}

function runParam(request: RepositoryRequest): CheckRun {
  const run = request.repository.checkRuns.get(numberParam(request, "check_run_id"));
  if (!run) throw notFound();
  return run;
}

function updateRun(world: World, request: RepositoryRequest): Reply {
  const run = runParam(request);
  if (run.appSlug !== appOf(world, request))
    throw new Refusal(
      403,
      `Invalid app_id \`${world.appId}\` - check run can only be modified by the GitHub App that created it.`,
    );
  checks.updateCheckRun(world, request.repository, run, toInput(parseBody(runPatch, request.body)), request.cause());
  return ok(checkRunJson(world, request.repository, run));
}

function rerequest(world: World, request: RepositoryRequest): Reply {
  const run = runParam(request);
  if (request.actor.kind === "token" && run.appSlug !== appOf(world, request)) throw notAccessible();
  checks.checkEvent(world, request.repository, run, "rerequested", request.cause());
  return created({});
}

function runsOfCommit(world: World, request: RepositoryRequest): Reply {
  const { repository, query } = request;
  const sha = repository.git.resolve(request.params.ref ?? "");
  if (!sha) throw new Refusal(422, `No commit found for SHA: ${request.params.ref}`);
  const all =
    query.get("filter") === "all"
      ? [...repository.checkRuns.values()].filter((run) => run.headSha === sha)
      : latestCheckRuns(repository, sha);
  const [name, status, appId] = [query.get("check_name"), query.get("status"), query.get("app_id")];
  const found = all
    .filter((run) => name === null || run.name === name)
    .filter((run) => status === null || run.status === status)
    .filter((run) => appId === null || (run.appSlug === world.appSlug) === (Number(appId) === world.appId));
  return runList(world, request, found);
}

const runList = (world: World, request: RepositoryRequest, runs: readonly CheckRun[]): Reply =>
  paged(world, request, runs, (page) => ({
    total_count: runs.length,
    check_runs: page.map((run) => checkRunJson(world, request.repository, run)),
  }));

function suitesOfCommit(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const sha = repository.git.resolve(request.params.ref ?? "");
  if (!sha) throw new Refusal(422, `No commit found for SHA: ${request.params.ref}`);
  const suites = [...repository.checkSuites.values()].filter((suite) => suite.headSha === sha);
  return paged(world, request, suites, (page) => ({
    total_count: suites.length,
    check_suites: page.map((suite) => checkSuiteJson(world, repository, suite)),
  }));
}

function runsOfSuite(world: World, request: RepositoryRequest): Reply {
  const suiteId = numberParam(request, "check_suite_id");
  if (!request.repository.checkSuites.has(suiteId)) throw notFound();
  return runList(
    world,
    request,
    [...request.repository.checkRuns.values()].filter((run) => run.suiteId === suiteId),
  );
}

const statusBody = z.object({
  state: z.enum(["error", "failure", "pending", "success"]),
  target_url: z.string().nullish(),
  description: z.string().max(140, "is too long (maximum is 140 characters)").nullish(),
  context: z.string().default("default"),
});

function createStatus(world: World, request: RepositoryRequest): Reply {
  const sha = request.params.sha ?? "";
  if (!request.repository.git.commit(sha)) throw new Refusal(422, `No commit found for SHA: ${sha}`);
  const { state, context, description = null, target_url: targetUrl = null } = parseBody(statusBody, request.body);
  const status = checks.addStatus(
    world,
    request.repository,
    { sha, state, context, description, targetUrl },
    request.cause(),
  );
  return created(statusJson(world, request.repository, status));
}

function combinedStatus(world: World, request: RepositoryRequest): Reply {
  const { repository } = request;
  const sha = repository.git.resolve(request.params.ref ?? "");
  if (!sha) throw notFound();
  const statuses = latestStatuses(repository, sha);
  const states = statuses.map((status) => status.state);
  const bad = states.includes("error") || states.includes("failure");
  return ok({
    state: bad ? "failure" : states.length === 0 || states.includes("pending") ? "pending" : "success",
    statuses: statuses.map((status) => statusJson(world, repository, status)),
    sha,
    total_count: statuses.length,
    repository: repositoryJson(world, repository),
    commit_url: `${repoApi(world, repository)}/commits/${sha}`,
    url: `${repoApi(world, repository)}/commits/${sha}/status`,
  });
}

export const checkRoutes: readonly Route[] = [
  repositoryRoute("POST /check-runs", "checks:write", createRun),
  repositoryRoute("GET /check-runs/:check_run_id", "checks:read", (world, request) =>
    ok(checkRunJson(world, request.repository, runParam(request))),
  ),
  repositoryRoute("PATCH /check-runs/:check_run_id", "checks:write", updateRun),
  repositoryRoute("GET /check-runs/:check_run_id/annotations", "checks:read", (world, request) =>
    paged(world, request, runParam(request).output.annotations),
  ),
  repositoryRoute("POST /check-runs/:check_run_id/rerequest", "checks:write", rerequest),
  repositoryRoute("GET /commits/*ref/check-runs", "checks:read", runsOfCommit),
  repositoryRoute("GET /commits/*ref/check-suites", "checks:read", suitesOfCommit),
  repositoryRoute("GET /check-suites/:check_suite_id/check-runs", "checks:read", runsOfSuite),
  repositoryRoute("POST /statuses/:sha", "statuses:write", createStatus),
  repositoryRoute("GET /commits/*ref/status", "statuses:read", combinedStatus),
];
