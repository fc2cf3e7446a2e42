/** Reads attachment blobs for the effects that push them to the job's branch. Makes no calls. */
import { jobFolder } from "../../contracts/brief.ts";
import { type AttachmentBlob, unpackBlob } from "../../domain/job/attachments.ts";
import { marketWork } from "../../domain/job/job.ts";
import type { BriefFile } from "./brief.ts";
import type { Task } from "./task.ts";

const FOLDER = "attachments";

/** Null when there is no attachment or it was deleted. */
export async function readBlob({ job, blobs }: Task, name: string | null | undefined): Promise<AttachmentBlob | null> {
  if (name === null || name === undefined) return null;
  const text = await blobs.get(job.id, name);
  return text === null ? null : unpackBlob(text);
}

/** A job's attachments as files below its folder, which are removed with it. */
export async function attachmentFiles(task: Task): Promise<BriefFile[]> {
  const stored = await readBlob(task, marketWork(task.job)?.enclosure?.parcel);
  return (stored?.attachments ?? []).map(({ name, content }) => ({
    path: `${jobFolder(task.job.id)}/${FOLDER}/${name}`,
    bytes: Buffer.from(content, "base64"),
  }));
}
