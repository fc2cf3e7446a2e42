/** Attachment blobs: what belongs to a job and is not in its record. */
import type { JobId } from "../../domain/job/job.ts";

/** Texts that belong to a job and are too large for its record or too secret for its readers. */
export interface AttachmentStore {
  /**
   * Resolves when it is on disk; `full` when the server has no room for more, `too_much` when all that is kept for this account
   * would be more than `most` bytes.
   */
  put(
    job: JobId,
    text: string,
    whose: { readonly account: string; readonly most: number },
  ): Promise<{ readonly name: string } | "full" | "too_much">;
  /** Null: it is gone. */
  get(job: JobId, name: string): Promise<string | null>;
  remove(job: JobId, names: readonly string[]): Promise<void>;
  /** All there are, for the start. */
  all(): Promise<readonly { readonly job: JobId; readonly name: string }[]>;
}
