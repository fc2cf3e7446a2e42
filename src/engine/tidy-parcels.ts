/**
 * Clears away parcels that no job needs any more: those that a commit has let go of, and at the start those that a crash
 * has left between a parcel and its job. Losing one of these deletions costs room, never a parcel that is needed.
 */
import type { Job } from "../job/job.ts";
import { parcelsOf } from "../job/parcel.ts";
import type { ParcelStore } from "./market-ports.ts";
import type { JobStore, Log } from "./ports.ts";

export interface ParcelTidier {
  committed(before: Job | null, after: Job): void;
  start(): Promise<void>;
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>;
}

export function createParcelTidier(parts: {
  readonly parcels: ParcelStore;
  readonly jobs: Pick<JobStore, "load">;
  readonly log: Log;
}): ParcelTidier {
  const { parcels, jobs, log } = parts;
  const removing = new Set<Promise<void>>();

  const remove = (job: Job["id"], names: readonly string[]): void => {
    const removal: Promise<void> = parcels
      .remove(job, names)
      .catch((error: unknown) => log.warn({ job, error }, "a parcel could not be cleared away; the next start does it"))
      .finally(() => removing.delete(removal));
    removing.add(removal);
  };

  return {
    committed(before, after) {
      if (before === null) return;
      const kept = parcelsOf(after);
      const gone = parcelsOf(before).filter((name) => !kept.includes(name));
      if (gone.length > 0) remove(after.id, gone);
    },
    async start() {
      for (const { job, name } of await parcels.all()) {
        const stored = await jobs.load(job);
        if (stored === null || !parcelsOf(stored.job).includes(name)) remove(job, [name]);
      }
    },
    async stop() {
      await Promise.allSettled(removing);
    },
  };
}
