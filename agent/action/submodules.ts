/**
 * Finds submodules that the agent changed or added, and rejects them in words: a job cannot push to another repository,
 * so the change would be lost or flattened into files. Runs nothing from the agent's own git.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalize } from "node:path/posix";
import type { Git } from "./git.ts";
import { succeeded } from "./run-command.ts";
import { asWord } from "./summary.ts";

const INDEX_LIMIT = 512 * 1024 * 1024;
const GITLINK = /^160000 ([0-9a-f]+) 0\t([\s\S]+)$/;
const MAX_NAMED = 10;
const POINTER_LIMIT = 16 * 1024;
/** Limit for each check of a folder that the agent wrote. */
const LOOK_LIMIT_MS = 20_000;

interface Submodule {
  readonly path: string;
  readonly commit: string;
}

async function submodulesOf(git: Git): Promise<Submodule[]> {
  const entries = await git.list(["ls-files", "--stage", "-z"], { outputLimit: INDEX_LIMIT });
  return entries.flatMap((entry) => {
    const [, commit, path] = GITLINK.exec(entry) ?? [];
    return commit === undefined || path === undefined ? [] : [{ commit, path }];
  });
}

/** Submodules whose folders differ from their commit. Call it before the agent's repositories are removed. */
export async function changedSubmodules(git: Git): Promise<string[]> {
  const changed: string[] = [];
  for (const submodule of await submodulesOf(git)) {
    if (await isChanged(git, submodule)) changed.push(submodule.path);
  }
  return changed;
}

async function isChanged(git: Git, { path, commit }: Submodule): Promise<boolean> {
  const folder = join(git.repository.workTree, path);
  // A missing or replaced folder is a change of this repository, which git reports itself.
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() || readdirSync(folder).length === 0) return false;
  const objects = objectsOf(git.repository.workTree, folder);
  return objects === null || !(await isAsCommitted(git, { folder, commit, objects }));
}

/** Finds the submodule's objects, wherever in the workspace the agent's git keeps them. */
function objectsOf(workspace: string, folder: string): string | null {
  try {
    const place = join(folder, ".git");
    const found = lstatSync(place);
    if (found.isFile() && found.size > POINTER_LIMIT) return null;
    const pointer = found.isFile() ? /^gitdir: (.{1,4000})\n?$/.exec(readFileSync(place, "utf8"))?.[1] : "";
    if (pointer === undefined) return null;
    const objects = realpathSync(join(pointer === "" ? place : join(folder, pointer), "objects"));
    return objects.startsWith(`${realpathSync(workspace)}/`) ? objects : null;
  } catch {
    return null;
  }
}

/** Uses an empty repository of our own that borrows the objects. */
async function isAsCommitted(
  git: Git,
  { folder, commit, objects }: { readonly folder: string; readonly commit: string; readonly objects: string },
): Promise<boolean> {
  const own = join(git.repository.folder, "..", "submodule.git");
  rmSync(own, { recursive: true, force: true });
  for (const part of ["objects", "refs"]) mkdirSync(join(own, part), { recursive: true });
  const inside = git.on({ folder: own, workTree: folder });
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${objects.replace(/["\\]/g, "\\$&")}"` };
  const limitMs = LOOK_LIMIT_MS;
  writeFileSync(join(own, "HEAD"), "ref: refs/heads/none\n");
  const same =
    (await inside.succeeds(["read-tree", commit], { env, limitMs })) &&
    (await inside.succeeds(["add", "-A", "--", "."], { env, limitMs })) &&
    (await inside.succeeds(["diff-index", "--cached", "--quiet", commit], { env, limitMs }));
  rmSync(own, { recursive: true, force: true });
  return same;
}

/** Paths that .gitmodules names and that are plain files in the work. Call it after staging. */
export async function addedSubmodules(git: Git): Promise<string[]> {
  const read = await git.try(["config", "-z", "--blob", ":.gitmodules", "--get-regexp", "^submodule\\..*\\.path$"]);
  if (!succeeded(read)) return [];
  const named = new Set(
    read.stdout
      .toString("utf8")
      .split("\0")
      .map((entry) => normalize(entry.slice(entry.indexOf("\n") + 1)).replace(/\/$/, "")),
  );
  const entries = await git.list(["ls-files", "--stage", "-z"], { outputLimit: INDEX_LIMIT });
  const files = entries.filter((entry) => !GITLINK.test(entry)).map((entry) => entry.slice(entry.indexOf("\t") + 1));
  return [...new Set(files.flatMap((file) => foldersOf(file).filter((path) => named.has(path))))];
}

/** The path itself and all its parent folders. */
const foldersOf = (path: string): string[] => [...path.matchAll(/\/|$/g)].map(({ index }) => path.slice(0, index));

const listOf = (paths: readonly string[]): string =>
  `${paths.slice(0, MAX_NAMED).map(asWord).join(", ")}${paths.length > MAX_NAMED ? " and others" : ""}`;

/** Null when there is nothing to reject. */
export const submoduleRefusal = (changed: readonly string[], added: readonly string[]): string | null =>
  changed.length > 0
    ? `The work changes the submodule ${listOf(changed)}, which is another repository and cannot be pushed by a job: make the change there, or leave that folder as it is.`
    : added.length > 0
      ? `The work adds the submodule ${listOf(added)}, which a job cannot do: add it by hand, or bring its files in without .gitmodules.`
      : null;
