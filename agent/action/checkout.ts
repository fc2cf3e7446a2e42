/**
 * Checks out the job: git works in a repository outside of the workspace, and the agent gets a copy next to the files.
 * The workflow needs no checkout step. Only git gets the token, in an environment variable.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { PARTIAL_TRAILER } from "../../src/contracts/brief.ts";
import type { Secret } from "../../src/contracts/secret.ts";
import type { ActionBrief, PushedBrief } from "./brief.ts";
import { type Git, GitFailure, type GitOptions } from "./git.ts";
import { findMergeBase } from "./merge-base.ts";
import { errorTail, runCommand, succeeded } from "./run-command.ts";

const FETCH_LIMIT_MS = 30 * 60_000;
const FETCH_PAUSES_MS = [1_000, 5_000] as const;
const CHECKOUT_LIMIT_MS = 30 * 60_000;
const COPY_LIMIT_MS = 10 * 60_000;
/** Bytes. A push event holds at most 20 commits and stays far below this. */
const EVENT_LIMIT = 16 * 1024 * 1024;

export interface Source {
  readonly sha: string;
  readonly branch: string;
  readonly repository: string;
  readonly serverUrl: string;
  readonly token: Secret;
}

const eventSchema = z.object({
  head_commit: z.object({ message: z.string() }).nullish(),
  repository: z.object({ default_branch: z.string() }).nullish(),
});

/** The event of the run, if it can be read. */
export function readEvent(eventPath: string | null): z.infer<typeof eventSchema> | null {
  try {
    if (eventPath === null || statSync(eventPath).size > EVENT_LIMIT) return null;
    return eventSchema.parse(JSON.parse(readFileSync(eventPath, "utf8")));
  } catch {
    return null;
  }
}

/**
 * Whether the brief's commit message asks for a partial checkout. On a push event this is known before the first fetch.
 */
export const asksForPart = (eventPath: string | null): boolean =>
  (readEvent(eventPath)?.head_commit?.message ?? "").split("\n").includes(PARTIAL_TRAILER);

/** Quotes a value for git's configuration file. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** Creates a repository with the job's commit and its parents. `part`: without file contents. */
export async function fetchJob(git: Git, source: Source, part: boolean): Promise<void> {
  const { folder } = git.repository;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Not through GIT_WORK_TREE: git would write it into the configuration, which the agent gets as well.
  const init = ["init", "--quiet", "--template=", `--initial-branch=${source.branch}`, join(folder, "..")];
  const { environment } = git.repository;
  const made = await runCommand("git", init, { env: { ...environment, ...NO_CONFIGURATION }, limitMs: 10_000 });
  if (!succeeded(made)) throw new GitFailure(`git init failed: ${errorTail(made)}`);
  const url = `${source.serverUrl}/${source.repository}.git`;
  const partial = part
    ? "\tpromisor = true\n\tpartialCloneFilter = blob:none\n[extensions]\n\tpartialClone = origin\n"
    : "";
  const version = part ? "[core]\n\trepositoryFormatVersion = 1\n" : "";
  appendFileSync(join(folder, "config"), `${version}[remote "origin"]\n\turl = ${quoted(url)}\n${partial}`);
  const ref = `+${source.sha}:refs/remotes/origin/${source.branch}`;
  await fetchAgain(git, ["--depth=2", "origin", ref], source.token);
}

const NO_CONFIGURATION = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };

/** Retries, since a runner's network fails now and then. */
export async function fetchAgain(
  git: Git,
  args: readonly string[],
  token: Secret,
  more: Pick<GitOptions, "input" | "config"> = {},
): Promise<void> {
  const options = { ...more, token, limitMs: FETCH_LIMIT_MS };
  for (const pause of [...FETCH_PAUSES_MS, null]) {
    const ran = await git.try(["fetch", "--quiet", "--no-tags", ...args], options);
    if (succeeded(ran)) return;
    if (pause === null || ran.limit !== null) throw new GitFailure(`git fetch failed: ${errorTail(ran)}`);
    await wait(pause);
  }
}

/** Fills the work tree, limited to the folders that the brief names, if any. */
export async function checkOut(
  git: Git,
  source: Source,
  { checkout_paths }: Pick<ActionBrief, "checkout_paths">,
): Promise<void> {
  const { token, branch } = source;
  const folders = checkout_paths.filter((path) => /^[^-/]/.test(path));
  if (folders.length > 0) await git.run(["sparse-checkout", "set", "--cone", "--", ".jobs", ...folders], { token });
  const start = `refs/remotes/origin/${branch}`;
  await git.run(["checkout", "--quiet", "--force", "--no-track", "-B", branch, start], {
    token,
    limitMs: CHECKOUT_LIMIT_MS,
  });
}

export interface Base {
  /** Whether the base commit was fetched. */
  readonly known: boolean;
  /** Merge base of branch and base; null when unknown. */
  readonly merge_base: string | null;
}

/** Fetches the base commit and the history that a merge with it needs. On a first attempt it is the parent commit. */
export async function findBase(git: Git, source: Source, { brief, parents }: PushedBrief): Promise<Base> {
  const base = brief.base.sha;
  const { token, sha } = source;
  if (!/^[0-9a-f]{40,64}$/.test(base)) return { known: false, merge_base: null };
  if (parents.includes(base)) return { known: true, merge_base: base };
  if (!(await git.succeeds(["cat-file", "-e", `${base}^{commit}`]))) {
    const fetched = await git.succeeds(
      ["fetch", "--quiet", "--no-tags", "--depth=1", "origin", `+${base}:refs/journeyman/base`],
      { token },
    );
    if (!fetched) return { known: false, merge_base: null };
  }
  return { known: true, merge_base: await findMergeBase(git, { head: sha, base, token }) };
}

/**
 * Fetches the base commit's instruction files into a partial clone now, since the agent has no token to fetch them
 * later.
 */
export async function fetchInstructions(git: Git, base: string, token: Secret): Promise<void> {
  const input = ["AGENTS.md", "CLAUDE.md"].map((file) => `${base}:${file}\n`).join("");
  await git.try(["cat-file", "--batch", "--follow-symlinks"], { token, input });
}

/** Copies the repository for the agent. Later steps never use the copy. */
export async function copyForAgent(git: Git): Promise<void> {
  const { folder, workTree, environment } = git.repository;
  const args = ["-R", "--reflink=auto", folder, join(workTree, ".git")];
  const ran = await runCommand("cp", args, { env: environment, limitMs: COPY_LIMIT_MS });
  if (!succeeded(ran)) throw new GitFailure(`the repository could not be copied: ${errorTail(ran)}`);
}
