/** A file as an entry of `POST git/trees`. Text is inlined; a binary file needs a blob of its own, and so one more write. */
import type { Task } from "./task.ts";

interface RestTreeEntry {
  readonly path: string;
  readonly mode: "100644";
  readonly type: "blob";
  readonly content?: string;
  /** A blob's id; null deletes the path. */
  readonly sha?: string | null;
}

/** Null for binary content, which would be changed by being sent as text. */
function textOf(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : null;
}

/** `bytes` null: the file goes. */
export async function restTreeEntry(
  { octokit, at }: Pick<Task, "octokit" | "at">,
  path: string,
  bytes: Uint8Array | null,
): Promise<RestTreeEntry> {
  const file = { path, mode: "100644", type: "blob" } as const;
  if (bytes === null) return { ...file, sha: null };
  const text = textOf(bytes);
  if (text !== null) return { ...file, content: text };
  const blob = { ...at, content: Buffer.from(bytes).toString("base64"), encoding: "base64" };
  const { data } = await octokit.request("POST /repos/{owner}/{repo}/git/blobs", blob);
  return { ...file, sha: data.sha };
}
