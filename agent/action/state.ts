/**
 * What `main` leaves for `post`, in a folder below RUNNER_TEMP that no container sees: what was true before the agent
 * began, and why it could not work. Nothing of it is the agent's.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const STATE_FILE = "state.json";

const stateSchema = z.object({
  /** The commit that is checked out: the brief. */
  head: z.string(),
  /** The checkout is whole: what is missing in it was deleted. */
  checked_out: z.boolean(),
  /** The base commit is here, and may be compared with. */
  base_known: z.boolean(),
  /** Where branch and base part; null: not known. */
  merge_base: z.string().nullable(),
  /** The base was merged into the checkout before the agent began; these files had conflicts. */
  merged: z.boolean(),
  conflicts: z.array(z.string()),
  /** Why the agent did not work, or not to its end, in words for the job's comment; null: it says so itself. */
  failure: z.string().nullable(),
});

export type State = z.infer<typeof stateSchema>;

export function saveState(folder: string, state: State): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, STATE_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** Where there is nothing that `post` could do. */
export const removeState = (folder: string): void => rmSync(join(folder, STATE_FILE), { force: true });

/** Null where nothing was prepared. */
export function loadState(folder: string): State | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(join(folder, STATE_FILE), "utf8")));
  } catch {
    return null;
  }
}
