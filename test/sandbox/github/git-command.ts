/** Runs the git CLI with fixed arguments and a clean environment: no shell, no machine settings. */
import { execa } from "execa";
import { searchPath } from "../search-path.ts";

/** A git command of the sandbox that takes longer hangs. */
const GIT_TIMEOUT_MS = 30_000;

export function gitEnvironment(): Record<string, string> {
  return {
    PATH: searchPath(),
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C.UTF-8",
  };
}

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function git(folder: string, args: readonly string[]): Promise<GitResult> {
  const result = await execa("git", args, {
    cwd: folder,
    env: gitEnvironment(),
    extendEnv: false,
    reject: false,
    timeout: GIT_TIMEOUT_MS,
    stripFinalNewline: false,
    stdin: "ignore",
  });
  if (result.exitCode === undefined) throw new Error(`git ${args[0]} did not end`, { cause: result });
  return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}
