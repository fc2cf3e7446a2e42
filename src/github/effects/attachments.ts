/** Reads attachment blobs for the effects that push them to the job's branch. Makes no calls. */
import { type AttachmentBlob, unpackBlob } from "../../domain/job/attachments.ts";
import type { Task } from "./task.ts";

/** Null when there is no attachment or it was deleted. */
export async function readBlob({ job, blobs }: Task, name: string | null | undefined): Promise<AttachmentBlob | null> {
  if (name === null || name === undefined) return null;
  const text = await blobs.get(job.id, name);
  return text === null ? null : unpackBlob(text);
}

/** A file's text; null for binary content, which would be changed by being sent as text. */
export function textOf(base64: string): string | null {
  const bytes = Buffer.from(base64, "base64");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}
