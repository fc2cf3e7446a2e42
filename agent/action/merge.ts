/**
 * Merges the base into the job's branch: before the agent works, if the brief asks for it, or by recognising a merge
 * that the agent made. Only objects and two commit ids are read from the agent's repository; no git runs in it.
 */
import { lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../src/contracts/secret.ts";
import { findUnmarked, LOOK_LIMIT, MARKER, type Unmarked } from "./conflicts.ts";
import { type Git, GitFailure } from "./git.ts";
import { succeeded } from "./run-command.ts";

const REF_LIMIT = 1_024;
/** Bounds git on objects that the agent wrote. */
const LOOK_LIMIT_MS = 10_000;
const COMMIT = /^[0-9a-f]{40,64}$/;

export interface Conflicts {
  /** All files that conflict. */
  readonly conflicts: readonly string[];
  /** Those of which no marker in the file tells, and submodules. */
  readonly unmarked: readonly Unmarked[];
}

/**
 * Merges without a commit and returns what conflicts, with markers left where git can. `token`: a partial clone has to
 * fetch file contents.
 */
export async function beginMerge(git: Git, base: string, token: Secret): Promise<Conflicts> {
  const merged = await git.try(["merge", "--quiet", "--no-commit", "--no-ff", "--no-edit", base], { token });
  const conflicts = await git.list(["diff", "--name-only", "--diff-filter=U", "-z"]);
  if (!succeeded(merged) && conflicts.length === 0) throw new GitFailure(`${base} could not be merged`);
  return { conflicts, unmarked: conflicts.length === 0 ? [] : await findUnmarked(git) };
}

/** The conflicting files that still hold a marker. */
export async function unresolved(git: Git, conflicts: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const path of conflicts) {
    const text = await git.try(["cat-file", "blob", `:${path}`], { outputLimit: LOOK_LIMIT });
    if (succeeded(text) && MARKER.test(text.stdout.toString("utf8"))) left.push(path);
  }
  return left;
}

/** Follows the agent's ref files to a commit id. Ignores links and long files. */
function idIn(folder: string, name: string, hops = 2): string | null {
  const path = join(folder, name);
  try {
    const found = lstatSync(path);
    if (!found.isFile() || found.size > REF_LIMIT) return null;
    const text = readFileSync(path, "utf8").trim();
    if (COMMIT.test(text)) return text;
    const ref = /^ref: (refs\/[\w./-]+)$/.exec(text)?.[1];
    return ref === undefined || ref.includes("..") || hops === 0 ? null : idIn(folder, ref, hops - 1);
  } catch {
    return null;
  }
}

/** Whether the agent merged the base in its own repository, committed or not. */
export async function agentMerged(git: Git, base: string): Promise<boolean> {
  const folder = join(git.repository.workTree, ".git");
  if (idIn(folder, "MERGE_HEAD") === base) return true;
  const head = idIn(folder, "HEAD");
  if (head === null) return false;
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: quotedPath(join(folder, "objects")) };
  return git.succeeds(["merge-base", "--is-ancestor", base, head], { env, limitMs: LOOK_LIMIT_MS });
}

/** The list is separated by colons, unless an entry is quoted. */
const quotedPath = (path: string): string => `"${path.replace(/["\\]/g, "\\$&")}"`;

/** Removes git's merge state: the commit is made without it. */
export function forgetMerge(git: Git): void {
  for (const name of ["MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "AUTO_MERGE"])
    rmSync(join(git.repository.folder, name), { force: true });
}
