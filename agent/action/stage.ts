/**
 * Puts what the agent left into the index of this step's own repository. One file that git cannot take (an encoding that
 * it does not have, no right to read it, a name that is not allowed) keeps none of the others out.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastWords, succeeded } from "./command.ts";
import { attributesOf, type Git, GitFailure } from "./git.ts";

const ADD_LIMIT_MS = 90_000;
const LIST_LIMIT = 64 * 1024 * 1024;
/** Calls that look for the files whose encoding cannot be kept; the others are stored as they are. */
const MOST_CALLS = 60;
/** Git compares each file with each path that it is given. */
const MOST_ENCODED = 1_000;
/** The job's own folder is never the agent's to change. */
const WHOLE = ["--", ".", ":(exclude,top).jobs"];
const OTHERS = ["--others", "--exclude-per-directory=.gitignore", ...WHOLE];
const PATHS_FROM_INPUT = ["--pathspec-from-file=-", "--pathspec-file-nul"];

/** Answers the files that are left out. */
export async function stageAll(git: Git): Promise<readonly string[]> {
  const all = await git.try(["add", "-A", "--sparse", ...WHOLE], { limitMs: ADD_LIMIT_MS });
  if (succeeded(all)) return [];
  git.unlock();
  if (all.limit !== null) throw new GitFailure(`git add failed: ${lastWords(all)}`);
  const list = { outputLimit: LIST_LIMIT };
  const changed = await git.list(["diff-files", "--name-only", "--no-renames", "-z", ...WHOLE], list);
  const fresh = await git.list(["ls-files", "-z", ...OTHERS], list);
  const complete = await addAsTheyAre(git);
  const encodings = await attributesOf(git, "working-tree-encoding", [...new Set([...changed, ...fresh])]);
  const encoded = [...encodings].filter(([, value]) => value !== "unspecified" && value !== "unset");
  if (encoded.length <= MOST_ENCODED)
    await encode(
      git,
      encoded.map(([path]) => path),
      { calls: MOST_CALLS },
    );
  return complete ? [] : git.list(["ls-files", "-z", "--modified", ...OTHERS], list);
}

/** Without the encodings that attributes name, at which git gives up; whether all are taken. */
async function addAsTheyAre(git: Git): Promise<boolean> {
  const info = join(git.repository.folder, "info");
  mkdirSync(info, { recursive: true });
  writeFileSync(join(info, "attributes"), "* !working-tree-encoding\n");
  const ran = await git.try(["add", "-A", "--sparse", "--ignore-errors", ...WHOLE], { limitMs: ADD_LIMIT_MS });
  rmSync(join(info, "attributes"));
  if (succeeded(ran) || ran.code === 1) return succeeded(ran);
  throw new GitFailure(`git add failed: ${lastWords(ran)}`);
}

/** Halves the list until what git cannot encode stands alone: that stays as it is. */
async function encode(git: Git, paths: readonly string[], left: { calls: number }): Promise<void> {
  if (paths.length === 0 || left.calls === 0) return;
  left.calls -= 1;
  const args = ["--literal-pathspecs", "add", "--renormalize", "--sparse", ...PATHS_FROM_INPUT];
  if (succeeded(await git.try(args, { input: paths.join("\0") })) || paths.length === 1) return;
  const half = Math.ceil(paths.length / 2);
  await encode(git, paths.slice(0, half), left);
  await encode(git, paths.slice(half), left);
}
