/** The contents that travel beside a job, for the effects that put them on its branch. Reads; makes no call. */
import { type AttachmentBlob, unpackBlob } from "../../domain/job/attachments.ts";
import type { Task } from "./task.ts";

/** Null: there is none, or it has been cleared away. */
export async function readBlob(
  { job, parcels }: Task,
  name: string | null | undefined,
): Promise<AttachmentBlob | null> {
  if (name === null || name === undefined) return null;
  const text = await parcels.get(job.id, name);
  return text === null ? null : unpackBlob(text);
}

/** The text of a file, when it is one: anything else would be changed by being sent as text. */
export function textOf(base64: string): string | null {
  const bytes = Buffer.from(base64, "base64");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}
