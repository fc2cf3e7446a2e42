/** Storage for attachment blobs, which belong to a job but are not in its record. */
import type { JobId } from "../../domain/job/job.ts";

/** Texts of a job that are too large for its record or private. */
export interface AttachmentStore {
  /**
   * Resolves when stored on the disk. `full`: the server's storage is full; `too_much`: this account would exceed
   * `most` bytes.
   */
  put(
    job: JobId,
    text: string,
    whose: { readonly account: string; readonly most: number },
  ): Promise<{ readonly name: string } | "full" | "too_much">;
  /** Null when it was deleted. */
  get(job: JobId, name: string): Promise<string | null>;
  remove(job: JobId, names: readonly string[]): Promise<void>;
  /** All blobs, for the start. */
  all(): Promise<readonly { readonly job: JobId; readonly name: string }[]>;
}
