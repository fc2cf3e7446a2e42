/** `npm run sandbox`: runs a local GitHub with the real App and shows what happens, for one task or until stopped. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIRST_TASK } from "../../src/contracts/first-task.ts";
import { type AppProcess, startApp } from "./app-process.ts";
import type { ContainerWishes } from "./containers.ts";
import { ADMIN, DEMO, FRESH, READER, type Sandbox, startSandbox, WRITER } from "./environment.ts";
import { KNOWN_TASKS } from "./model/task.ts";
import { runOnce } from "./once.ts";
import { callTable, createShow, type Show } from "./show.ts";

export interface SandboxOptions {
  /** The task to run until it is merged; null to keep running. */
  readonly once: string | null;
  /** The App's port; 0 for any free one. */
  readonly port: number;
  readonly containers: ContainerWishes;
  readonly anthropic_api_key: { reveal(): string } | null;
  readonly anthropic_base_url: string | null;
}

/** A scripted model answers at once; a real one takes time. */
const SCRIPTED_TIMEOUT_MS = 60_000;
const REAL_TIMEOUT_MS = 900_000;

const write = (text: string): void => {
  process.stdout.write(text);
};

/** Resolves on the first signal to stop. */
const untilStopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });

/** Prints the addresses to open and to call; `token` is the writer's. */
function explain(sandbox: Sandbox, app: AppProcess, apiKey: string, token: string): void {
  const { url, apiUrl, appSlug } = sandbox.github;
  const isScripted = sandbox.modelAccess.base_url === sandbox.model.url;
  write(`
The sandbox is up; stop it with Ctrl-C.

  GitHub   ${url}/${DEMO}
           Open an issue and comment /job with a task, as ${WRITER}; the head of each page changes who you are:
           ${ADMIN} owns the repository, ${WRITER} may write, ${READER} may only read.
  App      ${app.url}  (its API: ${app.url}/docs)
  Keys     ${app.url}/keys  (sign in as ${WRITER} and get one for ${DEMO})
  Model    ${sandbox.model.url}${isScripted ? "" : "  (not used: a real one does the work)"}
  Install  ${url}/apps/${appSlug}/installations/new
           Set a repository up as a new user does: choose ${FRESH}, which lacks Journeyman's files, and follow
           its pull request as ${ADMIN}. The secret is ${isScripted ? sandbox.modelAccess.api_key : "your own key"}; the first job: /job ${FIRST_TASK}

  API key of the App, for everything:  ${apiKey}
  Token of ${WRITER} at GitHub:             ${token}

A job over the App's API, and one by a comment over GitHub's:

  curl -sS ${app.url}/api/create-job -H 'x-api-key: ${apiKey}' \\
    -H 'content-type: application/json' -d '{"job": "${KNOWN_TASKS[0]}"}'

  curl -sS ${apiUrl}/repos/${DEMO}/issues -H 'authorization: Bearer ${token}' \\
    -d '{"title": "${KNOWN_TASKS[0]}", "labels": ["job"]}'

`);
  if (isScripted)
    write(
      `The model follows a script. It knows these tasks, joined by “then”, and fails on others:\n\n${KNOWN_TASKS.map((task) => `  /job ${task}\n`).join("")}\n`,
    );
}

async function once(
  sandbox: Sandbox,
  app: AppProcess,
  apiKey: string,
  task: string,
  timeoutMs: number,
): Promise<number> {
  const { github } = sandbox;
  github.resetCalls();
  const stopped = untilStopped().then(() => ({ merged: false as const, stopped: "It was interrupted." }));
  const running = runOnce({ github, appUrl: app.url, apiKey, task, timeoutMs, gone: app.gone, idle: sandbox.idle });
  const ending = await Promise.race([running, stopped]);
  if (!ending.merged) {
    write(`\nNot merged. ${ending.stopped}\n`);
    return 1;
  }
  write(`\n${await github.diff(DEMO, ending.before, ending.after)}\n${callTable(github.calls())}\n`);
  return 0;
}

async function inSandbox(sandbox: Sandbox, dataDir: string, show: Show, options: SandboxOptions): Promise<number> {
  const [webhookSecret = "", apiKey = ""] = [0, 0].map(() => randomBytes(24).toString("hex"));
  const app = await startApp({
    github: sandbox.github,
    dataDir,
    port: options.port,
    webhookSecret,
    apiKey,
    defaultRepository: DEMO,
    model: sandbox.modelAccess,
    onComplaint: show.complaint,
  });
  try {
    if (options.once !== null) {
      const timeout = options.anthropic_api_key === null ? SCRIPTED_TIMEOUT_MS : REAL_TIMEOUT_MS;
      return await once(sandbox, app, apiKey, options.once, timeout);
    }
    explain(sandbox, app, apiKey, sandbox.github.userToken(WRITER));
    await untilStopped();
    return 0;
  } finally {
    await app.stop();
  }
}

async function inFolder(dataDir: string, options: SandboxOptions): Promise<number> {
  const show = createShow(write, Date.now);
  const key = options.anthropic_api_key;
  const sandbox = await startSandbox({
    anthropic: key === null ? null : { api_key: key.reveal(), base_url: options.anthropic_base_url },
    containers: options.containers,
    fresh: options.once === null,
    onLog: show.workflow,
  });
  sandbox.github.onChange(show.change);
  show.say(sandbox.containers);
  try {
    return await inSandbox(sandbox, dataDir, show, options);
  } finally {
    await sandbox.close();
  }
}

/** Returns the exit code: with `once`, 0 only when the task was merged. */
export async function runSandbox(options: SandboxOptions): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), "journeyman-sandbox-"));
  try {
    return await inFolder(dataDir, options);
  } catch (error) {
    write(`\nThe sandbox could not go on: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
