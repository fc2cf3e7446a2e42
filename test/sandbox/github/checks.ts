/** Check suites, check runs and statuses: records, events, and the merges that their changes trigger. */
import { emit, trigger } from "./events.ts";
import {
  type Cause,
  type CheckAction,
  type CheckRun,
  type CheckSuite,
  type CommitStatus,
  fullName,
  type Json,
  type Repository,
} from "./model.ts";
import { repoApi } from "./payloads.ts";
import { checkRunJson, checkSuiteJson } from "./payloads-checks.ts";
import { commitJson } from "./payloads-commits.ts";
import type { World } from "./world.ts";

export const ACTIONS_SLUG = "github-actions";

export function newSuite(
  world: World,
  repository: Repository,
  input: { appSlug: string; headSha: string; headBranch: string | null; before: string | null; runId?: number },
): CheckSuite {
  const now = world.now();
  const suite: CheckSuite = {
    id: world.state.nextId(),
    appSlug: input.appSlug,
    headSha: input.headSha,
    headBranch: input.headBranch,
    before: input.before,
    createdAt: now,
    updatedAt: now,
    runId: input.runId,
    status: "queued",
    conclusion: null,
  };
  repository.checkSuites.set(suite.id, suite);
  return suite;
}

/** Each push creates an empty, queued suite for Apps that may write checks. */
export function requestSuite(
  world: World,
  repository: Repository,
  head: { headSha: string; headBranch: string; before: string | null },
  cause: Cause,
): void {
  const known = [...repository.checkSuites.values()].some(
    (suite) =>
      suite.appSlug === world.appSlug && suite.headSha === head.headSha && suite.headBranch === head.headBranch,
  );
  if (known) return;
  const suite = newSuite(world, repository, { appSlug: world.appSlug, ...head });
  emit(world, repository, "check_suite", cause, {
    action: "requested",
    check_suite: checkSuiteJson(world, repository, suite),
    actions_meta: null,
  });
}

export interface CheckInput {
  readonly name?: string | undefined;
  readonly status?: "queued" | "in_progress" | "completed" | undefined;
  readonly conclusion?: string | undefined;
  readonly startedAt?: number | undefined;
  readonly completedAt?: number | undefined;
  readonly externalId?: string | undefined;
  readonly detailsUrl?: string | undefined;
  readonly output?:
    | {
        title?: string | undefined;
        summary?: string | undefined;
        text?: string | undefined;
        annotations?: Json[] | undefined;
      }
    | undefined;
  readonly actions?: readonly CheckAction[] | undefined;
}

export function createCheckRun(
  world: World,
  repository: Repository,
  suite: CheckSuite,
  input: CheckInput & { name: string },
  cause: Cause,
): CheckRun {
  const run: CheckRun = {
    id: world.state.nextId(),
    suiteId: suite.id,
    appSlug: suite.appSlug,
    headSha: suite.headSha,
    name: input.name,
    status: "queued",
    conclusion: null,
    startedAt: world.now(),
    completedAt: undefined,
    externalId: "",
    detailsUrl: undefined,
    output: { title: null, summary: null, text: null, annotations: [] },
    actions: [],
  };
  repository.checkRuns.set(run.id, run);
  applyInput(world, run, input);
  checkEvent(world, repository, run, "created", cause);
  afterChange(world, repository, run, cause);
  return run;
}

export function updateCheckRun(
  world: World,
  repository: Repository,
  run: CheckRun,
  input: CheckInput,
  cause: Cause,
): void {
  const wasCompleted = run.status === "completed";
  applyInput(world, run, input);
  if (run.status === "completed" && !wasCompleted) checkEvent(world, repository, run, "completed", cause);
  afterChange(world, repository, run, cause);
}

function applyInput(world: World, run: CheckRun, input: CheckInput): void {
  run.name = input.name ?? run.name;
  run.externalId = input.externalId ?? run.externalId;
  run.detailsUrl = input.detailsUrl ?? run.detailsUrl;
  run.startedAt = input.startedAt ?? run.startedAt;
  run.actions = input.actions ?? run.actions;
  if (input.output) {
    const { title, summary, text, annotations = [] } = input.output;
    run.output = {
      title: title ?? run.output.title,
      summary: summary ?? run.output.summary,
      text: text ?? run.output.text,
      annotations: [...run.output.annotations, ...annotations],
    };
  }
  // A conclusion implies "completed"; any other status removes it.
  const status = input.conclusion === undefined ? input.status : "completed";
  if (status === undefined) return;
  run.status = status;
  run.conclusion = status === "completed" ? (input.conclusion ?? run.conclusion) : null;
  run.completedAt = status === "completed" ? (input.completedAt ?? run.completedAt ?? world.now()) : undefined;
}

function afterChange(world: World, repository: Repository, run: CheckRun, cause: Cause): void {
  const result = run.conclusion ?? run.status;
  world.feed.tell("check_run", repository, `check ${run.name} on ${run.headSha.slice(0, 7)}: ${result}`);
  const suite = repository.checkSuites.get(run.suiteId);
  if (suite && suite.runId === undefined) refreshSuite(world, repository, suite, cause);
  world.considerAutoMerge(repository, run.headSha);
}

/** An App's suite is complete when all its runs are; a workflow's suite follows its run. */
function refreshSuite(world: World, repository: Repository, suite: CheckSuite, cause: Cause): void {
  const runs = [...repository.checkRuns.values()].filter((run) => run.suiteId === suite.id);
  const latest = [...new Map(runs.map((run) => [run.name, run])).values()];
  const open = latest.some((run) => run.status !== "completed");
  const bad = latest.find((run) => !["success", "neutral", "skipped"].includes(run.conclusion ?? ""));
  const conclusion = open ? null : (bad?.conclusion ?? "success");
  if (open) setSuite(world, repository, suite, { status: "in_progress", conclusion: null }, cause);
  else setSuite(world, repository, suite, { status: "completed", conclusion }, cause);
}

export function setSuite(
  world: World,
  repository: Repository,
  suite: CheckSuite,
  state: { status: CheckSuite["status"]; conclusion: string | null },
  cause: Cause,
): void {
  if (suite.status === state.status && suite.conclusion === state.conclusion) return;
  suite.status = state.status;
  suite.conclusion = state.conclusion;
  suite.updatedAt = world.now();
  if (state.status === "completed")
    emit(world, repository, "check_suite", cause, {
      action: "completed",
      check_suite: checkSuiteJson(world, repository, suite),
    });
}

export function checkEvent(
  world: World,
  repository: Repository,
  run: CheckRun,
  action: string,
  cause: Cause,
  more: Json = {},
): void {
  const suite = repository.checkSuites.get(run.suiteId);
  const payload = emit(world, repository, "check_run", cause, {
    action,
    check_run: {
      ...checkRunJson(world, repository, run),
      check_suite: suite ? checkSuiteJson(world, repository, suite) : null,
    },
    ...more,
  });
  // `on: check_run` never fires for check runs that Actions created.
  const sha = repository.git.branch(repository.defaultBranch);
  if (run.appSlug === ACTIONS_SLUG || sha === undefined) return;
  trigger(world, {
    event: "check_run",
    action,
    repository: { owner: repository.owner.login, name: repository.name },
    sha,
    ref: `refs/heads/${repository.defaultBranch}`,
    headBranch: repository.defaultBranch,
    headSha: sha,
    actor: cause.user.login,
    byWorkflowToken: cause.byWorkflowToken,
    payload,
  });
}

/** A person presses a button of an App's check run; false when it has none of that name, e.g. before it is complete. */
export function pressButton(
  world: World,
  repository: Repository,
  run: CheckRun,
  identifier: string,
  cause: Cause,
): boolean {
  if (run.status !== "completed" || !run.actions.some((one) => one.identifier === identifier)) return false;
  checkEvent(world, repository, run, "requested_action", cause, { requested_action: { identifier } });
  return true;
}

/** “Re-run” of an App's check; a workflow's check is repeated with its run. */
export function askForCheck(world: World, repository: Repository, run: CheckRun, cause: Cause): boolean {
  if (run.appSlug === ACTIONS_SLUG) return false;
  checkEvent(world, repository, run, "rerequested", cause);
  return true;
}

export function addStatus(
  world: World,
  repository: Repository,
  input: Pick<CommitStatus, "sha" | "context" | "state" | "description" | "targetUrl">,
  cause: Cause,
): CommitStatus {
  const status: CommitStatus = { ...input, id: world.state.nextId(), creator: cause.user, createdAt: world.now() };
  repository.statuses.push(status);
  world.feed.tell("status", repository, `status ${status.context} on ${status.sha.slice(0, 7)}: ${status.state}`);
  const commit = repository.git.commit(status.sha);
  const branches = [...repository.git.refs.list("refs/heads/")].filter(([, sha]) => sha === status.sha);
  const at = new Date(status.createdAt).toISOString();
  emit(world, repository, "status", cause, {
    id: status.id,
    sha: status.sha,
    name: fullName(repository),
    avatar_url: null,
    context: status.context,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    commit: commit ? commitJson(world, repository, commit) : null,
    branches: branches.map(([ref, sha]) => ({
      name: ref.slice("refs/heads/".length),
      commit: { sha, url: `${repoApi(world, repository)}/commits/${sha}` },
      protected: repository.protections.has(ref.slice("refs/heads/".length)),
    })),
    created_at: at,
    updated_at: at,
  });
  world.considerAutoMerge(repository, status.sha);
  return status;
}
