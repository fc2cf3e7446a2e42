/**
 * Removes the run's secrets from changed files, all of which get pushed. Looks for known values only: what merely
 * resembles a secret may be test data. This guards against accidents; a model that wants to leak a secret must not be
 * given it.
 */
import { lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { confine } from "./tools/confine-path.ts";

/** Bytes. Larger files are skipped; GitHub takes no file above 100 MB. */
const MAX_FILE = 50 * 1024 * 1024;

/** Returns the files of `paths` that held a secret. `blank` removes known values from a text. */
export async function redactFiles(
  workspace: string,
  paths: readonly string[],
  blank: (text: string) => string,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const place = await confine(workspace, path);
    if (!place.ok) continue;
    // A link is pushed as a link; its target is checked under its own path.
    const about = await lstat(join(workspace, path)).catch(() => null);
    if (about === null || !about.isFile() || about.size > MAX_FILE) continue;
    // One character per byte, so that everything else is written back unchanged in any encoding.
    const text = await readFile(place.path, "latin1").catch(() => "");
    const clean = blank(text);
    if (clean === text) continue;
    await writeFile(place.path, clean, "latin1");
    found.push(path);
  }
  return found;
}
