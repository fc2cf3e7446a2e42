/** Reads, edits and compares trees. Works on the object store only. */
import type { GitObjects } from "./git-objects.ts";

export interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly sha: string;
}

export interface FileEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly sha: string;
}

/** The new content of a path; `null` deletes it. */
export type TreeChange = { readonly mode: string; readonly sha: string } | null;

export interface ChangedPaths {
  readonly added: string[];
  readonly modified: string[];
  readonly removed: string[];
}

const TREE_MODE = "40000";
const typeOf = (mode: string) => (mode === TREE_MODE ? "tree" : mode === "160000" ? "commit" : "blob");

export function readTree(objects: GitObjects, sha: string): TreeEntry[] {
  const object = objects.read(sha);
  if (object?.type !== "tree") throw new Error(`${sha} is not a tree`);
  const entries: TreeEntry[] = [];
  const { data } = object;
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at);
    const end = data.indexOf(0, space);
    entries.push({
      mode: data.toString("latin1", at, space),
      name: data.toString("utf8", space + 1, end),
      sha: data.toString("hex", end + 1, end + 21),
    });
    at = end + 21;
  }
  return entries;
}

/** Git sorts a folder as if its name ended with a slash. */
const sortKey = (entry: TreeEntry) => Buffer.from(entry.mode === TREE_MODE ? `${entry.name}/` : entry.name);

export function writeTree(objects: GitObjects, entries: readonly TreeEntry[]): string {
  const sorted = [...entries].sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
  const parts = sorted.flatMap((entry) => [
    Buffer.from(`${entry.mode} ${entry.name}\0`),
    Buffer.from(entry.sha, "hex"),
  ]);
  return objects.write("tree", Buffer.concat(parts));
}

/** Creates a tree from the base with some paths changed. Folders that become empty vanish, as in git. */
export function editTree(
  objects: GitObjects,
  base: string | undefined,
  changes: ReadonlyMap<string, TreeChange>,
): string {
  const entries = new Map((base ? readTree(objects, base) : []).map((entry) => [entry.name, entry]));
  const below = new Map<string, Map<string, TreeChange>>();
  for (const [path, change] of changes) {
    const slash = path.indexOf("/");
    if (slash >= 0) {
      const name = path.slice(0, slash);
      const inner = below.get(name) ?? new Map<string, TreeChange>();
      below.set(name, inner.set(path.slice(slash + 1), change));
    } else if (change) entries.set(path, { name: path, mode: change.mode.replace(/^0+/, ""), sha: change.sha });
    else entries.delete(path);
  }
  for (const [name, inner] of below) {
    const old = entries.get(name);
    const sha = editTree(objects, old?.mode === TREE_MODE ? old.sha : undefined, inner);
    if (readTree(objects, sha).length === 0) entries.delete(name);
    else entries.set(name, { name, mode: TREE_MODE, sha });
  }
  return writeTree(objects, [...entries.values()]);
}

export function listTree(objects: GitObjects, sha: string, recursive: boolean, prefix = ""): FileEntry[] {
  return readTree(objects, sha).flatMap((entry) => {
    const type = typeOf(entry.mode);
    const mode = entry.mode.padStart(6, "0");
    const own: FileEntry = { path: prefix + entry.name, mode, type, sha: entry.sha };
    return recursive && type === "tree"
      ? [own, ...listTree(objects, entry.sha, true, `${prefix}${entry.name}/`)]
      : [own];
  });
}

/** The entry at a path; the root is the tree itself. */
export function findInTree(objects: GitObjects, tree: string, path: string): FileEntry | undefined {
  let found: FileEntry = { path: "", mode: "040000", type: "tree", sha: tree };
  for (const name of path.split("/").filter((part) => part !== "")) {
    if (found.type !== "tree") return undefined;
    const entry = readTree(objects, found.sha).find((candidate) => candidate.name === name);
    if (!entry) return undefined;
    found = { path, mode: entry.mode.padStart(6, "0"), type: typeOf(entry.mode), sha: entry.sha };
  }
  return found;
}

export function compareTrees(objects: GitObjects, before: string | undefined, after: string | undefined): ChangedPaths {
  const changed: ChangedPaths = { added: [], modified: [], removed: [] };
  collectChanges(objects, before, after, "", changed);
  return changed;
}

function collectChanges(
  objects: GitObjects,
  before: string | undefined,
  after: string | undefined,
  prefix: string,
  changed: ChangedPaths,
): void {
  if (before === after) return;
  const old = new Map((before ? readTree(objects, before) : []).map((entry) => [entry.name, entry]));
  const now = new Map((after ? readTree(objects, after) : []).map((entry) => [entry.name, entry]));
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [a, b] = [old.get(name), now.get(name)];
    if (a?.sha === b?.sha && a?.mode === b?.mode) continue;
    const [aTree, bTree] = [a?.mode === TREE_MODE, b?.mode === TREE_MODE];
    if (aTree || bTree)
      collectChanges(objects, aTree ? a?.sha : undefined, bTree ? b?.sha : undefined, `${prefix}${name}/`, changed);
    const [aFile, bFile] = [a !== undefined && !aTree, b !== undefined && !bTree];
    if (aFile && bFile) changed.modified.push(prefix + name);
    else if (aFile) changed.removed.push(prefix + name);
    else if (bFile) changed.added.push(prefix + name);
  }
}
