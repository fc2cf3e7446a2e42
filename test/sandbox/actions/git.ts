/**
 * Runs real git for the runner itself, over HTTP with a token like any client. The token is passed in the environment,
 * never in argv or a URL.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { ActionsBackend, RepositoryName, WorkflowTrigger } from "../ports.ts";
import { runCommand } from "./processes.ts";
import type { TriggerFacts } from "./triggers.ts";

export const cloneUrl = (backend: ActionsBackend, repository: string): string => `${backend.url}/${repository}.git`;
export const fullName = (repository: RepositoryName): string => `${repository.owner}/${repository.name}`;

export const authorization = (token: string): string =>
  `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;

export interface GitCall {
  readonly cwd: string;
  readonly home: string;
  readonly path: string;
  readonly auth?: { readonly server: string; readonly token: string };
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

const GRACE = { interruptMs: 500, terminateMs: 500 };

/** Returns whether git succeeded. */
export async function git(call: GitCall, args: readonly string[]): Promise<boolean> {
  const auth = call.auth && {
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_1: `http.${call.auth.server}/.extraheader`,
    GIT_CONFIG_VALUE_1: authorization(call.auth.token),
  };
  const env = {
    PATH: call.path,
    HOME: call.home,
    LANG: "C.UTF-8",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    // like the real action; the workspace is deleted before clean-up would matter
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "maintenance.auto",
    GIT_CONFIG_VALUE_0: "false",
    ...auth,
  };
  const { cwd, signal, onLine } = call;
  const ended = await runCommand({ file: "git", args, cwd, env, grace: GRACE, signal, onLine });
  return ended.kind === "exit" && ended.code === 0;
}

const before = z.object({ before: z.string().optional(), created: z.boolean().optional() });
const pulled = z.object({ pull_request: z.object({ base: z.object({ sha: z.string() }) }) });

export interface FactsSource {
  readonly backend: ActionsBackend;
  readonly folder: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Facts about a trigger's commits, read once and only if a workflow's filters need them. */
export function gitFacts(source: FactsSource, trigger: WorkflowTrigger): TriggerFacts {
  let changed: Promise<readonly string[] | undefined> | undefined;
  let message: Promise<string> | undefined;
  return {
    changedFiles() {
      changed ??= withBare(source, trigger, (lines, fetch) => changedFiles(lines, fetch, trigger));
      return changed;
    },
    headMessage() {
      message ??= source.backend.commitMessage(trigger.repository, trigger.headSha);
      return message;
    },
  };
}

type Lines = (args: readonly string[]) => Promise<string[] | undefined>;
type Fetch = (args: readonly string[]) => Promise<boolean>;

async function withBare<T>(
  source: FactsSource,
  trigger: WorkflowTrigger,
  ask: (lines: Lines, fetch: Fetch) => Promise<T>,
) {
  const { backend, path, signal } = source;
  const folder = await mkdtemp(join(source.folder, "facts-"));
  const token = backend.workflowToken(trigger.repository, { contents: "read" });
  const auth = { server: backend.url, token };
  const lines: Lines = async (args) => {
    const seen: string[] = [];
    const ok = await git({ cwd: folder, home: folder, path, auth, signal, onLine: (line) => seen.push(line) }, args);
    return ok ? seen : undefined;
  };
  const url = cloneUrl(backend, fullName(trigger.repository));
  try {
    await lines(["init", "--quiet", "--bare", "."]);
    return await ask(
      lines,
      async (args) => (await lines(["fetch", "--quiet", "--no-tags", url, ...args])) !== undefined,
    );
  } finally {
    backend.revokeToken(token);
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Pull requests: a three-dot diff from the base. Pushes: the pushed commits; a new branch from its first new commit on.
 */
async function changedFiles(
  lines: Lines,
  fetch: Fetch,
  trigger: WorkflowTrigger,
): Promise<readonly string[] | undefined> {
  await fetch(["+refs/heads/*:refs/heads/*"]);
  await fetch([trigger.headSha]);
  const pull = pulled.safeParse(trigger.payload);
  if (pull.success) return lines(["diff", "--name-only", `${pull.data.pull_request.base.sha}...${trigger.headSha}`]);
  const push = before.safeParse(trigger.payload);
  const old = push.success ? push.data.before : undefined;
  if (old !== undefined && !/^0+$/.test(old)) return lines(["diff", "--name-only", old, trigger.headSha]);
  const others = ["--not", `--exclude=${trigger.headBranch}`, "--branches"];
  const brought = await lines(["rev-list", "--reverse", trigger.headSha, ...others]);
  const deepest = brought?.[0];
  if (deepest === undefined) return [];
  const parent = (await lines(["rev-parse", "--verify", "--quiet", `${deepest}^`]))?.[0];
  if (parent === undefined) return lines(["ls-tree", "-r", "--name-only", trigger.headSha]);
  return lines(["diff", "--name-only", parent, trigger.headSha]);
}
