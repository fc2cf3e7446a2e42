/** Git objects as bytes: blobs, trees and commits, exactly as git writes them, so that their ids are git's. */
import { createHash } from "node:crypto";

export interface GitObject {
  readonly type: "blob" | "tree" | "commit";
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** One name in a tree. */
export interface TreeEntry {
  readonly name: string;
  /** Octal, without a leading zero. */
  readonly mode: string;
  readonly id: string;
}

export const FOLDER_MODE = "40000";
export const FILE_MODE = "100644";

const LENGTH_OF_ID = 40;
/** For a ref that does not exist. */
export const NO_COMMIT = "0".repeat(LENGTH_OF_ID);
export const isObjectId = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

export function gitObject(type: GitObject["type"], bytes: Uint8Array): GitObject {
  const id = createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
  return { type, id, bytes };
}

/** Git sorts by bytes, and folders as if their names ended with a slash. */
const sortKey = ({ name, mode }: TreeEntry): Buffer => Buffer.from(mode === FOLDER_MODE ? `${name}/` : name);

export function treeObject(entries: readonly TreeEntry[]): GitObject {
  const sorted = entries
    .map((entry) => ({ entry, key: sortKey(entry) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key));
  const parts = sorted.flatMap(({ entry: { mode, name, id } }) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.from(id, "hex"),
  ]);
  return gitObject("tree", Buffer.concat(parts));
}

export interface CommitWords {
  readonly tree: string;
  readonly parent: string;
  readonly by: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

export function commitObject({ tree, parent, by, at, message }: CommitWords): GitObject {
  const who = `${by.name} <${by.email}> ${Math.floor(at / 1_000)} +0000`;
  const head = [`tree ${tree}`, `parent ${parent}`, `author ${who}`, `committer ${who}`];
  return gitObject("commit", Buffer.from(`${head.join("\n")}\n\n${message}`));
}
