/**
 * Restores the paths that no job may change: workflows, the settings' forbidden paths, and all of .jobs. The reference
 * is the branch with its base merged in, where there was a merge; otherwise restoring would undo the merge.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Git } from "./git.ts";

const ALWAYS = ".github/workflows";
const LIST_LIMIT = 64 * 1024 * 1024;

export interface Reference {
  readonly head: string;
  /** The merged base; null when nothing was merged. */
  readonly merged: { readonly base: string; readonly merge_base: string } | null;
}

/** The tree to compare with. Where both sides changed a file, it holds the branch's version. */
export async function referenceTree(git: Git, { head, merged }: Reference): Promise<string> {
  if (merged === null) return head;
  const index = join(git.repository.folder, "reference-index");
  const env = { GIT_INDEX_FILE: index };
  rmSync(index, { force: true });
  await git.run(["read-tree", "-i", "-m", "--aggressive", merged.merge_base, head, merged.base], { env });
  const left = await git.list(["ls-files", "--unmerged", "-z"], { env, outputLimit: LIST_LIMIT });
  const ours = left.flatMap((entry) => {
    const [, mode, id, stage, path] = /^(\d+) ([0-9a-f]+) (\d)\t([\s\S]+)$/.exec(entry) ?? [];
    return mode !== undefined && stage === "2" ? [`${mode} ${id} 0\t${path}\0`] : [];
  });
  const paths = [...new Set(left.map((entry) => entry.slice(entry.indexOf("\t") + 1)))];
  const gone = paths.map((path) => `0 ${"0".repeat(head.length)}\t${path}\0`);
  await git.run(["update-index", "-z", "--index-info"], { env, input: [...gone, ...ours].join("") });
  const tree = await git.text(["write-tree", "--missing-ok"], { env });
  rmSync(index, { force: true });
  return tree;
}

/** Returns the restored paths. */
export async function putBackForbidden(
  git: Git,
  reference: string,
  globs: readonly string[],
): Promise<readonly string[]> {
  const barred = [ALWAYS, ...globs.filter((glob) => /^[^/:!]/.test(glob)).map((glob) => `:(glob)${glob}`)];
  const changed = await changedPaths(git, reference, barred);
  await git.run(["reset", "-q", reference, "--", ".jobs", ...barred]);
  return changed;
}

/** Restores single files, and removes those that are new. */
export async function putBack(git: Git, reference: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await git.run(["--literal-pathspecs", "reset", "-q", reference, "--pathspec-from-file=-", "--pathspec-file-nul"], {
    input: paths.join("\0"),
  });
}

/** Paths that differ between a commit or tree and the index. */
export const changedPaths = (git: Git, from: string, pathspecs: readonly string[] = []): Promise<string[]> =>
  git.list(["diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "-z", from, "--", ...pathspecs], {
    outputLimit: LIST_LIMIT,
  });
