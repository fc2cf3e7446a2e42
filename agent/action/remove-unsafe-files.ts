/**
 * Removes from the checkout what git must not meet: pipes, on which it would hang, files too large to push, and
 * repositories of the agent, which could make git run its programs. Uses `find`, which handles paths of any length.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Git, GitFailure } from "./git.ts";
import { lfsPaths } from "./lfs.ts";
import { type CommandOptions, type CommandResult, errorTail, runCommand, succeeded } from "./run-command.ts";

const LIMIT_MS = 60_000;
const LIST_LIMIT = 64 * 1024 * 1024;

async function find(git: Git, tests: readonly string[]): Promise<string[]> {
  const { workTree: cwd, environment: env } = git.repository;
  const options: CommandOptions = { cwd, env, limitMs: git.within(LIMIT_MS), outputLimit: LIST_LIMIT };
  const ran: CommandResult = await runCommand("find", [".", ...tests], options);
  if (!succeeded(ran)) throw new GitFailure(`the checkout could not be cleared: ${errorTail(ran)}`);
  const paths = ran.stdout.toString("utf8").split("\0");
  return paths.filter((path) => path !== "").map((path) => path.slice("./".length));
}

const SPECIAL = ["!", "-type", "f", "!", "-type", "d", "!", "-type", "l"];
const IN_REPOSITORY = "*/.git/*";

/** A path longer than the system call limit, which git skips silently. */
const TOO_LONG = `${"?".repeat(4_000)}*`;

/**
 * Removes pipes, sockets, devices, overlong paths, and links inside repositories. Returns those that belong to the
 * work.
 */
export async function removeSpecialFiles(git: Git): Promise<string[]> {
  await find(git, ["-path", IN_REPOSITORY, "(", "-type", "l", "-o", ...SPECIAL, ")", "-delete"]);
  return find(git, ["(", ...SPECIAL, "-o", "-path", TOO_LONG, ")", "-print0", "-delete"]);
}

/** Removes every repository below the workspace, including those that the agent created or fetched. */
export async function removeRepositories(git: Git): Promise<void> {
  await find(git, ["(", "-name", ".git", "-o", "-path", IN_REPOSITORY, ")", "-delete"]);
}

/** GitHub's limits for a file in git and in LFS. */
const GIT_LIMIT = "+100M";
const LFS_LIMIT = "+2048M";

/** Removes the files that are too large to push and returns their paths. */
export async function removeTooLarge(git: Git): Promise<string[]> {
  const large = await find(git, ["-type", "f", "-size", GIT_LIMIT, "-print0"]);
  if (large.length === 0) return [];
  const tooLarge = new Set(await find(git, ["-type", "f", "-size", LFS_LIMIT, "-print0"]));
  const lfs = new Set(await lfsPaths(git, large));
  const removed = large.filter((path) => tooLarge.has(path) || !lfs.has(path));
  for (const path of removed) rmSync(join(git.repository.workTree, path));
  return removed;
}
