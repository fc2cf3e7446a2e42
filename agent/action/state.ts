/**
 * The state that `main` saves for `post`, below RUNNER_TEMP where no container sees it: facts from before the agent
 * began, and why it could not work. None of it comes from the agent.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { unmarkedSchema } from "./conflicts.ts";

const STATE_FILE = "state.json";

const stateSchema = z.object({
  /** The checked-out commit, which is the brief. */
  head: z.string(),
  /** Whether the checkout is complete, so that a missing file counts as deleted. */
  checked_out: z.boolean(),
  /** Whether the base commit was fetched and can be compared with. */
  base_known: z.boolean(),
  /** Merge base of branch and base; null when unknown. */
  merge_base: z.string().nullable(),
  /** Whether the base was merged into the checkout before the agent began, and the files that conflicted. */
  merged: z.boolean(),
  conflicts: z.array(z.string()),
  /** Those of which no marker in the file tells. */
  unmarked: z.array(unmarkedSchema),
  /** Whether an image of the repository's own was to be used, which leaves something to remove. */
  own_image: z.boolean(),
  /** Whether the repository has a cache, which leaves something to remove. */
  cached: z.boolean(),
  /** Why the agent did not run to its end, for the job's comment; null when its result says so itself. */
  failure: z.string().nullable(),
  /** Whether that is so because Docker could not get an image, or could not set the repository's own one up. */
  image_problem: z.enum(["missing", "set_up_failed"]).nullable(),
});

export type ImageProblem = NonNullable<State["image_problem"]>;

export type State = z.infer<typeof stateSchema>;

export function saveState(folder: string, state: State): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, STATE_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** For a run in which `post` has nothing to do. */
export const removeState = (folder: string): void => rmSync(join(folder, STATE_FILE), { force: true });

/** Null when nothing was prepared. */
export function loadState(folder: string): State | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(join(folder, STATE_FILE), "utf8")));
  } catch {
    return null;
  }
}
