/**
 * Parcels: what travels beside a job and is kept beside its record: the sender's secrets (sealed) and attachments, the
 * worker's files and attachments. Contents are base64. Says also which parcels a job still needs.
 */
import * as z from "zod";
import { isFinal, type Job, marketWork } from "./job.ts";

const content = z.object({ name: z.string(), content: z.string() });
/** `content` null: the file goes. */
const file = z.object({ name: z.string(), content: z.string().nullable() });

const parcelSchema = z.object({
  /** A JSON object of names and values, sealed; null: none. */
  env_vars: z.string().nullable(),
  attachments: z.array(content),
  /** `name`: its path in the repository. */
  files: z.array(file),
});

export type AttachmentBlob = z.infer<typeof parcelSchema>;
export type Content = z.infer<typeof content>;
export type FileChange = z.infer<typeof file>;

export const EMPTY_BLOB: AttachmentBlob = { env_vars: null, attachments: [], files: [] };

export const packBlob = (parcel: AttachmentBlob): string => JSON.stringify(parcel);

/** Throws when the text is no parcel: it is our own, so it is damaged. */
export const unpackBlob = (text: string): AttachmentBlob => parcelSchema.parse(JSON.parse(text));

/** What seals the secrets of one parcel: they open for no other. */
export const envPurpose = (job: Pick<Job, "id">): string => `env_vars of job ${job.id}`;

/**
 * The parcels that somebody may still ask for. What the sender has put in goes with the end of the job; of the work,
 * attachments that were paid for stay until the job is archived, since nothing else holds them.
 */
export function blobsOf(job: Pick<Job, "status" | "work" | "archived_at">): string[] {
  const work = marketWork(job);
  if (work === null) return [];
  const over = isFinal(job.status);
  const paid = job.status === "verified" && job.archived_at === null && (work.delivery?.attachments.length ?? 0) > 0;
  const enclosed = over ? null : work.enclosure?.parcel;
  const delivered = over && !paid ? null : work.delivery?.parcel;
  return [enclosed, delivered].filter((name) => name !== null && name !== undefined);
}
