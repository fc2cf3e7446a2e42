/**
 * Attachment blobs, stored beside a job's record: the sender's secrets (sealed) and attachments, the worker's files and
 * attachments. Contents are base64. Also tells which blobs a job still needs.
 */
import * as z from "zod";
import { isFinal, type Job, marketWork } from "./job.ts";

const content = z.object({ name: z.string(), content: z.string() });
/** `content` null: the file goes. */
const file = z.object({ name: z.string(), content: z.string().nullable() });

const blobSchema = z.object({
  /** A JSON object of names and values, sealed; null: none. */
  env_vars: z.string().nullable(),
  attachments: z.array(content),
  /** `name`: its path in the repository. */
  files: z.array(file),
});

export type AttachmentBlob = z.infer<typeof blobSchema>;
export type Content = z.infer<typeof content>;
export type FileChange = z.infer<typeof file>;

export const EMPTY_BLOB: AttachmentBlob = { env_vars: null, attachments: [], files: [] };

export const packBlob = (blob: AttachmentBlob): string => JSON.stringify(blob);

/** Throws when the text is no blob: only this program writes them, so it is damaged. */
export const unpackBlob = (text: string): AttachmentBlob => blobSchema.parse(JSON.parse(text));

/** The purpose that the secrets of one job are sealed for; they cannot be opened for another. */
export const envPurpose = (job: Pick<Job, "id">): string => `env_vars of job ${job.id}`;

/**
 * The blobs that somebody may still ask for. The sender's are deleted when the job ends. Of the worker's, attachments that
 * were paid for stay until the job is archived, since nothing else holds them.
 */
export function blobsOf(job: Pick<Job, "status" | "work" | "archived_at">): string[] {
  const work = marketWork(job);
  if (work === null) return [];
  const over = isFinal(job.status);
  const paid = job.status === "verified" && job.archived_at === null && (work.delivery?.attachments.length ?? 0) > 0;
  const sent = over ? null : work.enclosure?.parcel;
  const submitted = over && !paid ? null : work.delivery?.parcel;
  return [sent, submitted].filter((name) => name !== null && name !== undefined);
}
