/**
 * Takes the secrets that this run was given out of the files that it leaves, since all of them are pushed. Known values
 * alone: what only looks like a secret may be a test's example. A net for accidents, not a wall against a model that
 * means to; what it must not have, it is not given.
 */
import { lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { confine } from "./tools/confine.ts";

/** Larger files are not looked through. GitHub takes none of more than 100 MB. */
const MAX_FILE = 50 * 1024 * 1024;

/** The files of `paths` in which there was one. `blank` takes known values out of a text. */
export async function takeOutSecrets(
  workspace: string,
  paths: readonly string[],
  blank: (text: string) => string,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const place = await confine(workspace, path);
    if (!place.ok) continue;
    // A link is pushed as a link; what it names is looked at under its own name.
    const about = await lstat(join(workspace, path)).catch(() => null);
    if (about === null || !about.isFile() || about.size > MAX_FILE) continue;
    // One byte a character: whatever the file's encoding, what is not a secret is written back as it was.
    const text = await readFile(place.path, "latin1").catch(() => "");
    const clean = blank(text);
    if (clean === text) continue;
    await writeFile(place.path, clean, "latin1");
    found.push(path);
  }
  return found;
}
