/**
 * Plays one workflow job on a fresh "machine": temporary workspace, token, time limit, steps in order, clean-up.
 * `run.ts` decides which jobs run and when.
 */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobStep, RunIdentity } from "../ports.ts";
import { githubContext, githubEnv, isFromFork, tokenPermissions } from "./contexts.ts";
import { DockerFolder } from "./docker-folder.ts";
import { contextOf, ExpressionMistake, fill } from "./expressions.ts";
import type { JobInput, JobOutcome, JobPlaces } from "./job-input.ts";
import { JobLimits } from "./job-limits.ts";
import { JobLog } from "./log.ts";
import { killMarked } from "./processes.ts";
import { StepSequence } from "./step-sequence.ts";

export async function playJob(input: JobInput): Promise<JobOutcome> {
  const { machine, subject, jobId } = input;
  const { backend, trigger, workflow } = subject;
  const fork = isFromFork(subject);
  const token = backend.workflowToken(
    trigger.repository,
    tokenPermissions(input.definition.permissions, workflow.permissions, fork),
  );
  const secrets: Record<string, string> = { ...(fork ? {} : backend.secrets(trigger.repository)), GITHUB_TOKEN: token };
  const log = new JobLog((text) => backend.appendLog(jobId, text), machine.now);
  const identity = identityOf(input, fork);
  const runtimeToken = backend.openCaches(identityFacts(input));
  const more = [runtimeToken, ...(identity ? [identity.token] : [])];
  for (const secret of [...Object.values(secrets), ...more]) log.masks.add(secret);
  const folder = await mkdtemp(join(machine.folder, "job-"));
  const docker = new DockerFolder(join(folder, "docker"), machine.containers);
  const tracking = `github_${randomUUID()}`;
  const limits = new JobLimits({
    timeoutMinutes: input.timeoutMinutes,
    afterCancelMs: machine.afterCancelMs,
    cancel: input.cancel,
    closing: machine.closing,
  });
  try {
    const places = await makePlaces(folder, trigger.payload);
    await docker.make(machine.path);
    const { jobContexts, env } = surroundings(input, places, { token, tracking, secrets, identity });
    const context = contextOf({ ...jobContexts, env: {} });
    const fileEnv = Object.fromEntries(
      Object.entries(workflow.env).map(([name, text]) => [name, fill(text, "env", context)]),
    );
    const jobEnv = Object.fromEntries(
      Object.entries(input.definition.env).map(([name, text]) => [name, fill(text, "job.env", context)]),
    );
    const sequence = new StepSequence({
      ...input,
      ...places,
      log,
      limits,
      token,
      docker,
      jobContexts,
      runnerEnv: env,
      // the first is the address of a service that does not exist; the second is that of caches
      actionEnv: {
        ACTIONS_RUNTIME_URL: `${backend.url}/_runtime/`,
        ACTIONS_RESULTS_URL: `${backend.url}/`,
        ACTIONS_CACHE_SERVICE_V2: "true",
        ACTIONS_RUNTIME_TOKEN: runtimeToken,
      },
      env: { ...fileEnv, ...jobEnv },
      report: (steps: readonly JobStep[]) => backend.updateJob(jobId, { status: "in_progress", steps }),
    });
    return await sequence.play();
  } catch (error) {
    if (!(error instanceof ExpressionMistake)) throw error;
    log.error(`The template is not valid. ${error.message}`);
    return { conclusion: "failure", outputs: {} };
  } finally {
    limits.close();
    await killMarked(`RUNNER_TRACKING_ID=${tracking}`);
    const left = await docker.removeLeftovers();
    if (left.length > 0) log.warning(`The job has left containers or networks behind: ${left.join(", ")}`);
    backend.revokeToken(token);
    backend.closeCaches(runtimeToken);
    if (identity) backend.closeIdentity(identity.token);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

type Identity = ReturnType<JobInput["subject"]["backend"]["openIdentity"]>;

/** Only a job with `id-token: write` may request identity tokens, and none that runs for a fork. */
function identityOf({ definition, subject, handle }: JobInput, fork: boolean): Identity | undefined {
  const { backend, workflow } = subject;
  if (tokenPermissions(definition.permissions, workflow.permissions, fork)["id-token"] !== "write") return undefined;
  return backend.openIdentity(identityFacts({ subject, handle }));
}

function identityFacts({ subject, handle }: Pick<JobInput, "subject" | "handle">): RunIdentity {
  const { head_ref: headRef, base_ref: baseRef } = githubContext(subject, handle);
  const { ref, sha } = subject.trigger;
  return { runId: handle.id, ref, sha, headRef: String(headRef), baseRef: String(baseRef) };
}

async function makePlaces(folder: string, payload: unknown): Promise<JobPlaces> {
  const at = (name: string) => join(folder, name);
  const places = { workspace: at("work"), temp: at("temp"), home: at("home"), eventPath: at("event.json") };
  await Promise.all([places.workspace, places.temp, places.home, at("tools")].map((path) => mkdir(path)));
  await writeFile(places.eventPath, JSON.stringify(payload));
  return places;
}

interface Private {
  readonly token: string;
  readonly tracking: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly identity: Identity | undefined;
}

/** The job's contexts and its clean environment, without anything of the process that runs the sandbox. */
function surroundings(input: JobInput, places: JobPlaces, own: Private) {
  const { workspace, temp, home, eventPath } = places;
  const tools = join(workspace, "..", "tools");
  const facts = { token: own.token, job: input.key, workspace, event_path: eventPath };
  const github = { ...githubContext(input.subject, input.handle), ...facts };
  const arch = process.arch === "arm64" ? "ARM64" : "X64";
  const runner = {
    os: process.platform === "darwin" ? "macOS" : "Linux",
    arch,
    name: "sandbox",
    temp,
    tool_cache: tools,
    debug: "",
  };
  const env = {
    PATH: input.machine.path,
    HOME: home,
    LANG: "C.UTF-8",
    CI: "true",
    GITHUB_ACTIONS: "true",
    ...githubEnv(github),
    RUNNER_OS: runner.os,
    RUNNER_ARCH: arch,
    RUNNER_NAME: runner.name,
    RUNNER_TEMP: temp,
    RUNNER_TOOL_CACHE: tools,
    RUNNER_WORKSPACE: join(workspace, ".."),
    RUNNER_ENVIRONMENT: "self-hosted",
    RUNNER_TRACKING_ID: own.tracking,
    ...(own.identity && {
      ACTIONS_ID_TOKEN_REQUEST_URL: own.identity.url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: own.identity.token,
    }),
  };
  return { jobContexts: { ...input.contexts, github, runner, secrets: own.secrets }, env };
}
