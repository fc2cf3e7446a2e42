/**
 * Changes files below trees that are known, without asking GitHub. A tree never changes under its id, so what was read
 * once stays true; and what was read is taken only if it gives that id.
 */
import { LRUCache } from "lru-cache";
import { FILE_MODE, FOLDER_MODE, type GitObject, isObjectId, type TreeEntry, treeObject } from "./objects.ts";

/** Bytes of all trees that are kept; a root of fifty names has about three thousand. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Of an entry's id, mode and object, beside its name. */
const ENTRY_BYTES = 60;

export type KnownTree = readonly TreeEntry[];

export class KnownTrees {
  readonly #kept = new LRUCache<string, KnownTree>({
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: (entries) => ENTRY_BYTES + entries.reduce((sum, { name }) => sum + ENTRY_BYTES + name.length, 0),
  });

  /** Keeps a tree. One that does not give its id, such as one with a name that is not UTF-8, is not kept. */
  learn(id: string, entries: KnownTree): void {
    if (this.#kept.has(id) || !entries.every((entry) => isObjectId(entry.id))) return;
    if (treeObject(entries).id === id) this.#kept.set(id, entries);
  }

  /** Whether this tree is known, and the folder of this name in it, where there is one. */
  knows(id: string, folder: string): boolean {
    const entry = this.get(id)?.find(({ name }) => name === folder);
    return this.#kept.has(id) && (entry === undefined || entry.mode !== FOLDER_MODE || this.#kept.has(entry.id));
  }

  get(id: string): KnownTree | undefined {
    return this.#kept.get(id);
  }
}

/** By path from the root: the blob that stands there from now on; null: nothing. */
export type FileChanges = ReadonlyMap<string, string | null>;

export interface EditedTree {
  readonly id: string;
  /** The new trees. */
  readonly objects: readonly GitObject[];
}

/** Changes by the first part of their paths; "" is the path that ends there. */
function byFirstPart(changes: FileChanges): Map<string, Map<string, string | null>> {
  const parts = new Map<string, Map<string, string | null>>();
  for (const [path, blob] of changes) {
    const slash = path.indexOf("/");
    const name = slash < 0 ? path : path.slice(0, slash);
    const below = parts.get(name) ?? new Map<string, string | null>();
    below.set(slash < 0 ? "" : path.slice(slash + 1), blob);
    parts.set(name, below);
  }
  return parts;
}

/** The tree with these files changed; null when a tree on the way is unknown, or a file stands where a folder must. */
export function editTree(known: KnownTrees, root: string | null, changes: FileChanges): EditedTree | null {
  const entries = root === null ? [] : known.get(root);
  if (entries === undefined) return null;
  const left = new Map(entries.map((entry) => [entry.name, entry]));
  const objects: GitObject[] = [];
  for (const [name, below] of byFirstPart(changes)) {
    const entry = left.get(name);
    const blob = below.get("");
    if (blob !== undefined) {
      if (below.size > 1 || entry?.mode === FOLDER_MODE) return null;
      if (blob === null) left.delete(name);
      else left.set(name, { name, mode: FILE_MODE, id: blob });
      continue;
    }
    if (entry !== undefined && entry.mode !== FOLDER_MODE) return null;
    const edited = editTree(known, entry?.id ?? null, below);
    if (edited === null) return null;
    objects.push(...edited.objects);
    left.set(name, { name, mode: FOLDER_MODE, id: edited.id });
  }
  const tree = treeObject([...left.values()]);
  return { id: tree.id, objects: [...objects, tree] };
}
