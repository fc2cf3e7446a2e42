/**
 * Runs git on this step's repository, which lies outside of the checkout. Configuration, hooks and attribute files of
 * the machine and of the agent have no effect. A token is passed in the environment and works for one server only.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import { type CommandOptions, type CommandResult, errorTail, runCommand, succeeded } from "./run-command.ts";

const LIMIT_MS = 60_000;
const AUTHOR = ["github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"] as const;

/** No hooks or helpers run. A change of owner touches stat data, so git does not compare it. */
const CONFIGURATION: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.trustctime", "false"],
  ["core.checkStat", "minimal"],
  ["core.quotePath", "false"],
  ["core.commitGraph", "false"],
  ["core.excludesFile", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["safe.directory", "*"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["advice.detachedHead", "false"],
  ["user.name", AUTHOR[0]],
  ["user.email", AUTHOR[1]],
];

export interface Repository {
  /** The git directory. */
  readonly folder: string;
  readonly workTree: string;
  readonly serverUrl: string;
  /** The environment of every program. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface GitOptions {
  readonly input?: string | Buffer;
  readonly limitMs?: number;
  readonly outputLimit?: number;
  /** For calls that reach the server. */
  readonly token?: Secret;
  readonly config?: readonly (readonly [string, string])[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Caps a call's limit at the time that is left for the stage. */
export type Within = (ms: number) => number;

/** A git command failed; the message is a sentence. */
export class GitFailure extends Error {}

export class Git {
  readonly repository: Repository;
  /** Throws when no time is left. */
  readonly within: Within;

  constructor(repository: Repository, within: Within) {
    this.repository = repository;
    this.within = within;
  }

  /** The same git with another git directory and work tree. */
  on(places: { readonly folder: string; readonly workTree: string }): Git {
    return new Git({ ...this.repository, ...places }, this.within);
  }

  try(args: readonly string[], options: GitOptions = {}): Promise<CommandResult> {
    return runCommand("git", args, this.#options(options));
  }

  async run(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    const ran = await this.try(args, options);
    if (succeeded(ran)) return ran.stdout;
    throw new GitFailure(`git ${args[0] ?? ""} failed: ${errorTail(ran)}`);
  }

  async text(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.run(args, options)).toString("utf8").trim();
  }

  /** Splits git's NUL-terminated output. */
  async list(args: readonly string[], options: GitOptions = {}): Promise<string[]> {
    const text = (await this.run(args, options)).toString("utf8");
    return text.split("\0").filter((entry) => entry !== "");
  }

  async succeeds(args: readonly string[], options: GitOptions = {}): Promise<boolean> {
    return succeeded(await this.try(args, options));
  }

  /** Removes the lock files of a git that was killed. */
  unlock(): void {
    rmSync(join(this.repository.folder, "index.lock"), { force: true });
  }

  #options({ token, config = [], env = {}, limitMs = LIMIT_MS, ...rest }: GitOptions): CommandOptions {
    const { folder, workTree, serverUrl, environment } = this.repository;
    const settings = [...(token === undefined ? [] : authorization(serverUrl, token)), ...CONFIGURATION, ...config];
    const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
    for (const [at, [key, value]] of settings.entries()) {
      variables[`GIT_CONFIG_KEY_${at}`] = key;
      variables[`GIT_CONFIG_VALUE_${at}`] = value;
    }
    return {
      ...rest,
      limitMs: this.within(limitMs),
      cwd: workTree,
      env: {
        ...environment,
        ...variables,
        LC_ALL: "C",
        GIT_DIR: folder,
        GIT_WORK_TREE: workTree,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_ATTR_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        ...env,
      },
    };
  }
}

const LIST_LIMIT = 64 * 1024 * 1024;

/** Values of an attribute by path. `--cached`: as in the index. */
export async function attributesOf(
  git: Git,
  attribute: string,
  paths: readonly string[],
  ...flags: readonly "--cached"[]
): Promise<ReadonlyMap<string, string>> {
  const args = ["check-attr", ...flags, "-z", "--stdin", attribute];
  const answer = await git.run(args, { input: paths.join("\0"), outputLimit: LIST_LIMIT });
  // A value may be empty, so empty fields stay.
  const words = answer.toString("utf8").split("\0");
  return new Map(words.flatMap((value, at) => (at % 3 === 2 ? [[words[at - 2] ?? "", value]] : [])));
}

/** Basic authentication as actions/checkout does it, bound to this server even if git is redirected. */
const authorization = (serverUrl: string, token: Secret): readonly (readonly [string, string])[] => [
  [
    `http.${serverUrl}/.extraHeader`,
    `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token.reveal()}`).toString("base64")}`,
  ],
];
