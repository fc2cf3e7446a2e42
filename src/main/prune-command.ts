/** What the `prune` command does, on the data folder itself. */
import { pruneAll, retentionAt } from "../engine/prune.ts";
import { openLowdbStore } from "../store/lowdb/open.ts";
import { counted } from "../text/plural.ts";
import type { PruneSettings } from "./command-settings.ts";

/** An answer to expect at the command line, to be printed as it stands. */
export class PruneProblem extends Error {}

/** What was deleted, or with `dry_run` would be, in a sentence. */
export async function pruneFolder({ data_dir, kept_days }: PruneSettings, dry_run: boolean): Promise<string> {
  const now = Date.now();
  const store = await openLowdbStore({ dir: data_dir, now: () => now }).catch((error: unknown) => {
    throw new PruneProblem(`${error instanceof Error ? error.message : error}\nA running server prunes by itself.`);
  });
  try {
    const older = retentionAt(now, kept_days);
    const { jobs, logs } = await (dry_run ? store.jobs.prunable(older) : pruneAll(store.jobs, older));
    const what = `${counted(jobs, "job")} and ${counted(logs, "log")}`;
    return dry_run ? `${what} are old enough to be deleted.` : `Deleted ${what}.`;
  } finally {
    await store.close();
  }
}
