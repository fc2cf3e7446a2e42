/**
 * Clears from the checkout what no git may meet: at a pipe it waits for ever, a file of 60 GB takes longer than there is,
 * and a repository of the agent's could make it run programs. By `find`, to which no path is too long.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, lastWords, type Ran, runCommand, succeeded } from "./command.ts";
import { type Git, GitFailure } from "./git.ts";
import { lfsPaths } from "./lfs.ts";

const LIMIT_MS = 60_000;
const LIST_LIMIT = 64 * 1024 * 1024;

async function find(git: Git, tests: readonly string[]): Promise<string[]> {
  const { workTree: cwd, environment: env } = git.repository;
  const options: CommandOptions = { cwd, env, limitMs: git.within(LIMIT_MS), outputLimit: LIST_LIMIT };
  const ran: Ran = await runCommand("find", [".", ...tests], options);
  if (!succeeded(ran)) throw new GitFailure(`the checkout could not be cleared: ${lastWords(ran)}`);
  const paths = ran.stdout.toString("utf8").split("\0");
  return paths.filter((path) => path !== "").map((path) => path.slice("./".length));
}

const SPECIAL = ["!", "-type", "f", "!", "-type", "d", "!", "-type", "l"];
const IN_REPOSITORY = "*/.git/*";

/** Pipes, sockets and devices everywhere, and links within repositories. Answers those of the work. */
export async function removeSpecialFiles(git: Git): Promise<string[]> {
  await find(git, ["-path", IN_REPOSITORY, "(", "-type", "l", "-o", ...SPECIAL, ")", "-delete"]);
  return find(git, [...SPECIAL, "-print0", "-delete"]);
}

/** Every repository below the workspace, the agent's own and those that it made or fetched. */
export async function removeRepositories(git: Git): Promise<void> {
  await find(git, ["(", "-name", ".git", "-o", "-path", IN_REPOSITORY, ")", "-delete"]);
}

/** GitHub's limits for a file: in git, and in LFS. */
const GIT_LIMIT = "+100M";
const LFS_LIMIT = "+2048M";

/** Answers the files that are too large to be pushed, and gone now. */
export async function removeTooLarge(git: Git): Promise<string[]> {
  const large = await find(git, ["-type", "f", "-size", GIT_LIMIT, "-print0"]);
  if (large.length === 0) return [];
  const tooLarge = new Set(await find(git, ["-type", "f", "-size", LFS_LIMIT, "-print0"]));
  const lfs = new Set(await lfsPaths(git, large));
  const removed = large.filter((path) => tooLarge.has(path) || !lfs.has(path));
  for (const path of removed) rmSync(join(git.repository.workTree, path));
  return removed;
}
