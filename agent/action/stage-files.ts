/**
 * Stages the agent's files in this step's own repository. A file that git cannot add (an unsupported encoding, no read
 * permission, a forbidden name) is left out without affecting the others.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attributesOf, type Git, GitFailure } from "./git.ts";
import { errorTail, succeeded } from "./run-command.ts";

/** Longer than any part of the stage: a large change may take all the time that is left. */
const ADD_LIMIT_MS = 10 * 60_000;
const LIST_LIMIT = 64 * 1024 * 1024;
/** Calls spent on finding files whose encoding git cannot convert; the rest are stored unconverted. */
const MAX_CALLS = 60;
/** Git compares each file with each given path. */
const MAX_ENCODED = 1_000;
/** A job never changes its own folder. */
const WHOLE = ["--", ".", ":(exclude,top).jobs"];
const OTHERS = ["--others", "--exclude-per-directory=.gitignore", ...WHOLE];
const PATHS_FROM_INPUT = ["--pathspec-from-file=-", "--pathspec-file-nul"];

/** Returns the files that were left out. */
export async function stageFiles(git: Git): Promise<readonly string[]> {
  const all = await git.try(["add", "-A", "--sparse", ...WHOLE], { limitMs: ADD_LIMIT_MS });
  if (succeeded(all)) return [];
  git.unlock();
  if (all.limit !== null) throw new GitFailure(`git add failed: ${errorTail(all)}`);
  const list = { outputLimit: LIST_LIMIT };
  const changed = await git.list(["diff-files", "--name-only", "--no-renames", "-z", ...WHOLE], list);
  const fresh = await git.list(["ls-files", "-z", ...OTHERS], list);
  const complete = await addAsTheyAre(git);
  const encodings = await attributesOf(git, "working-tree-encoding", [...new Set([...changed, ...fresh])]);
  const encoded = [...encodings].filter(([, value]) => value !== "unspecified" && value !== "unset");
  if (encoded.length <= MAX_ENCODED)
    await encode(
      git,
      encoded.map(([path]) => path),
      { calls: MAX_CALLS },
    );
  return complete ? [] : git.list(["ls-files", "-z", "--modified", ...OTHERS], list);
}

/** Adds files without converting encodings, where git would give up. Returns whether all were added. */
async function addAsTheyAre(git: Git): Promise<boolean> {
  const info = join(git.repository.folder, "info");
  mkdirSync(info, { recursive: true });
  writeFileSync(join(info, "attributes"), "* !working-tree-encoding\n");
  const ran = await git.try(["add", "-A", "--sparse", "--ignore-errors", ...WHOLE], { limitMs: ADD_LIMIT_MS });
  rmSync(join(info, "attributes"));
  if (succeeded(ran) || ran.code === 1) return succeeded(ran);
  throw new GitFailure(`git add failed: ${errorTail(ran)}`);
}

/** Bisects the list to find the files that git cannot convert; they stay unconverted. */
async function encode(git: Git, paths: readonly string[], left: { calls: number }): Promise<void> {
  if (paths.length === 0 || left.calls === 0) return;
  left.calls -= 1;
  const args = ["--literal-pathspecs", "add", "--renormalize", "--sparse", ...PATHS_FROM_INPUT];
  if (succeeded(await git.try(args, { input: paths.join("\0") })) || paths.length === 1) return;
  const half = Math.ceil(paths.length / 2);
  await encode(git, paths.slice(0, half), left);
  await encode(git, paths.slice(half), left);
}
