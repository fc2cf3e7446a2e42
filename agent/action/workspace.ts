/** The folder that the runner gives to a job: emptied before the checkout, so that nothing of an earlier job counts. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ownership } from "./ownership.ts";

async function removeContents(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Null when it is empty, else why not. What a container of an earlier job owns is taken back first: a repository of its
 * could make git run its programs here.
 */
export async function emptyWorkspace(folder: string, ownership: Ownership): Promise<string | null> {
  try {
    await removeContents(folder);
    return null;
  } catch {
    const why = await ownership.take();
    if (why !== null) return why;
    return removeContents(folder).then(() => null, wordsOf);
  }
}
