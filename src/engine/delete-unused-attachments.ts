/**
 * Deletes attachments that no job needs: those that a commit has released, at the start those that a crash left behind,
 * and twice a day those that were unreferenced the last time too. A failed deletion costs disk space, but a needed
 * attachment is never deleted.
 */

import { blobsOf } from "../domain/job/attachments.ts";
import type { Job } from "../domain/job/job.ts";
import type { AttachmentStore } from "./ports/attachments.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";

/** Much longer than an attachment waits for the commit that references it. */
export const SWEPT_EVERY_MS = 12 * 3_600_000;

export interface AttachmentSweeper {
  committed(before: Job | null, after: Job): void;
  start(): Promise<void>;
  /** Resolves when deletions in progress have ended. */
  stop(): Promise<void>;
}

export function createAttachmentSweeper(parts: {
  readonly blobs: AttachmentStore;
  readonly jobs: Pick<JobStore, "load">;
  readonly clock: Clock;
  readonly log: Log;
}): AttachmentSweeper {
  const { blobs, jobs, clock, log } = parts;
  const removing = new Set<Promise<void>>();
  let cancel = (): void => {};
  let stopped = false;

  const remove = (job: Job["id"], names: readonly string[]): void => {
    const removal: Promise<void> = blobs
      .remove(job, names)
      .catch((error: unknown) => log.warn({ job, error }, "an attachment could not be deleted; retrying later"))
      .finally(() => removing.delete(removal));
    removing.add(removal);
  };

  /** Deletes unreferenced attachments for which `goes` is true; returns the other unreferenced ones. */
  const sweep = async (goes: (blob: string) => boolean): Promise<ReadonlySet<string>> => {
    const unnamed = new Set<string>();
    for (const { job, name } of await blobs.all()) {
      const stored = await jobs.load(job);
      if (stored !== null && blobsOf(stored.job).includes(name)) continue;
      if (goes(`${job} ${name}`)) remove(job, [name]);
      else unnamed.add(`${job} ${name}`);
    }
    return unnamed;
  };

  /** `before`: unreferenced the last time too; a newer one may be about to be committed. */
  const sweepLater = (before: ReadonlySet<string>): void => {
    if (stopped) return;
    cancel = clock.at(clock.now() + SWEPT_EVERY_MS, () => {
      sweep((blob) => before.has(blob)).then(sweepLater, (error: unknown) => {
        log.warn({ error }, "attachments could not be listed; retrying later");
        sweepLater(before);
      });
    });
  };

  return {
    committed(before, after) {
      if (before === null) return;
      const kept = blobsOf(after);
      const gone = blobsOf(before).filter((name) => !kept.includes(name));
      if (gone.length > 0) remove(after.id, gone);
    },
    async start() {
      sweepLater(await sweep(() => true));
    },
    async stop() {
      stopped = true;
      cancel();
      await Promise.allSettled(removing);
    },
  };
}
