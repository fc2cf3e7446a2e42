/**
 * Actions mode as a runner plays it: one process for each event that the example workflow is started by, with what a
 * runner hands to a JavaScript action. Nothing survives between two of them but GitHub.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installationToken, type Received, receiver } from "../contract/sandbox-github/kit.ts";
import { DEMO, type Sandbox } from "../sandbox/environment.ts";

const TIMEOUT_MS = 90_000;
const LOOK_EVERY_MS = 50;
/** As the example workflow declares them. */
export const PERMISSIONS = {
  contents: "write",
  issues: "write",
  "pull-requests": "write",
  checks: "write",
  actions: "write",
  statuses: "read",
};

export interface Step {
  readonly event: string;
  readonly code: number | null;
  readonly output: string;
  /** From the process's start to its end. */
  readonly ms: number;
}

export interface ActionPlayer {
  /** Every process so far, in order. */
  readonly steps: readonly Step[];
  /** The next event of this name that would start the workflow, not played yet; the ones before it are dropped. */
  take(event: string): Promise<Received>;
  /** Plays one event, as it came or in other circumstances. */
  play(event: string, payload: object, env?: Readonly<Record<string, string>>): Promise<Step>;
  /** Hands out events as they come until the condition holds. */
  until<T>(what: string, look: () => T): Promise<NonNullable<Exclude<T, false>>>;
  close(): Promise<void>;
}

export interface PlayerOptions {
  /** The command that starts the action. */
  readonly command: readonly string[];
  /** The token of an App instead of GITHUB_TOKEN. */
  readonly app?: boolean;
  /** Seconds. */
  readonly waitSeconds?: number;
}

const actor = (payload: Received["payload"]): string => JSON.stringify(payload.sender ?? {});
const byToken = (payload: Received["payload"]): boolean => actor(payload).includes('"github-actions[bot]"');

/** What the example workflow is started by, and GitHub's rule that GITHUB_TOKEN starts nothing. */
function starts({ event, action, payload }: Received): boolean {
  const text = JSON.stringify(payload);
  switch (`${event}.${action}`) {
    case "issue_comment.created":
      return !actor(payload).includes('"Bot"') && text.includes("/job");
    case "issues.labeled":
    case "pull_request.closed":
      return !byToken(payload);
    case "pull_request_review.submitted":
      return !byToken(payload) && (!text.includes('"state":"commented"') || text.includes("/job"));
    case "workflow_run.in_progress":
    case "workflow_run.completed":
      return text.includes('"head_branch":"job/');
    default:
      return false;
  }
}

const nameOf = (repository: string): { owner: string; name: string } => {
  const [owner = "", name = ""] = repository.split("/");
  return { owner, name };
};

const tokenOf = async ({ github, installation }: Sandbox, { app }: PlayerOptions): Promise<string> =>
  app ? installationToken(github, installation) : github.actions.workflowToken(nameOf(DEMO), PERMISSIONS);

async function runCommand(
  [command = "", ...args]: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, output };
}

export async function startActionPlayer(sandbox: Sandbox, options: PlayerOptions): Promise<ActionPlayer> {
  const { github } = sandbox;
  const temp = await mkdtemp(join(tmpdir(), "journeyman-action-"));
  const hook = await receiver();
  github.setWebhook(hook.target);
  const steps: Step[] = [];
  let runs = 1_000;
  let handled = 0;

  const play: ActionPlayer["play"] = async (event, payload, env = {}) => {
    const run = ++runs;
    const path = join(temp, `event-${run}.json`);
    const [workspace, runnerTemp] = [await mkdtemp(join(temp, "work-")), await mkdtemp(join(temp, "runner-"))];
    // a workflow's payload names no installation
    await writeFile(path, JSON.stringify({ ...payload, installation: undefined }));
    const token = await tokenOf(sandbox, options);
    const begun = performance.now();
    const { code, output } = await runCommand(options.command, workspace, {
      INPUT_TOKEN: token,
      INPUT_PATIENCE: String(options.waitSeconds ?? 60),
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: path,
      GITHUB_RUN_ID: String(run),
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_REPOSITORY: DEMO,
      GITHUB_API_URL: github.apiUrl,
      RUNNER_TEMP: runnerTemp,
      ...env,
    });
    const ms = performance.now() - begun;
    github.actions.revokeToken(token);
    const left = await readdir(runnerTemp);
    if (left.length > 0) throw new Error(`the action has left ${left.join(", ")} behind`);
    if (output.includes(token)) throw new Error("the action has printed its token");
    const step = { event, code, output, ms };
    steps.push(step);
    return step;
  };

  const next = async (): Promise<Received | undefined> => {
    const event = hook.received[handled];
    if (event === undefined) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    else handled++;
    return event;
  };

  return {
    steps,
    play,
    async take(name) {
      const deadline = Date.now() + TIMEOUT_MS;
      while (Date.now() < deadline) {
        const event = await next();
        if (event && `${event.event}.${event.action}` === name && starts(event)) return event;
      }
      throw new Error(`waited in vain for ${name}`);
    },
    async until(what, look) {
      const deadline = Date.now() + TIMEOUT_MS;
      for (;;) {
        const seen = look();
        if (seen !== null && seen !== undefined && seen !== false)
          return seen as NonNullable<Exclude<typeof seen, false>>;
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
        const event = await next();
        if (event && starts(event)) await play(event.event, event.payload);
      }
    },
    async close() {
      await hook.close();
      await rm(temp, { recursive: true, force: true });
    },
  };
}
