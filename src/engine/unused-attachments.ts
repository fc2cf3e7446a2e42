/**
 * Deletes attachments that no job needs: those that a commit has released, and those that no job has named twice in a row,
 * which a crash left behind. A failed deletion costs disk space, but a needed attachment is never deleted.
 */
import { blobsOf } from "../domain/job/attachments.ts";
import { asJobId, type JobId } from "../domain/job/job.ts";
import type { AttachmentStore } from "./ports/attachments.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { TaskHandler, WorkQueue } from "./ports/work-queue.ts";

export const SWEPT_EVERY_MS = 12 * 3_600_000;
/** Much longer than an attachment waits for the commit that references it. */
export const SECOND_LOOK_MS = 3_600_000;
const SLOTS = 4;

interface Needs {
  readonly blobs: AttachmentStore;
  readonly jobs: Pick<JobStore, "load">;
  readonly queue: Pick<WorkQueue, "schedule">;
  readonly clock: Pick<Clock, "now">;
}

const keyOf = (job: JobId, name: string): string => `${job} ${name}`;

export function createAttachmentSweeper({ blobs, jobs, queue, clock }: Needs): {
  readonly one: TaskHandler;
  readonly all: TaskHandler;
} {
  let before: ReadonlySet<string> = new Set();
  const isNamed = async (job: JobId, name: string): Promise<boolean> => {
    const stored = await jobs.load(job);
    return stored !== null && blobsOf(stored.job).includes(name);
  };
  return {
    one: {
      slots: SLOTS,
      async perform(key) {
        const [id = "", name = ""] = key.split(" ");
        const job = asJobId(id);
        if (job !== null && !(await isNamed(job, name))) await blobs.remove(job, [name]);
        return null;
      },
    },
    all: {
      slots: 1,
      async perform() {
        const unnamed = new Set<string>();
        for (const { job, name } of await blobs.all()) if (!(await isNamed(job, name))) unnamed.add(keyOf(job, name));
        const gone = [...unnamed].filter((key) => before.has(key));
        await queue.schedule(gone.map((key) => ({ kind: "attachment", key })));
        before = unnamed;
        return { again_at: clock.now() + (unnamed.size > 0 ? SECOND_LOOK_MS : SWEPT_EVERY_MS) };
      },
    },
  };
}
