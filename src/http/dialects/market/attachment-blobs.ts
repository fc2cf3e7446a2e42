/** Stores an attachment blob before the commit that names it, and removes it if no commit does. */

import { type AttachmentBlob, blobsOf, packBlob } from "../../../domain/job/attachments.ts";
import type { JobId } from "../../../domain/job/job.ts";
import type { AttachmentStore } from "../../../engine/ports/attachments.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { HttpResult } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";

export interface AttachmentParts {
  readonly service: Pick<JobService, "keep">;
  readonly blobs: Pick<AttachmentStore, "get" | "remove">;
  readonly jobs: Pick<JobStore, "load">;
}

export const NO_ROOM_LEFT = { about: "There is no room for more.", codes: ["no_room"] } as const;
export const OVER_QUOTA = {
  about: "The account has as much as it may; the sentence says what must end first.",
  codes: ["over_quota"],
} as const;

/** Runs the work with the blob's name; a blob that the job does not name afterwards is removed. */
export async function withAttachments(
  { service, blobs, jobs }: AttachmentParts,
  { id, account }: { readonly id: JobId; readonly account: string },
  blob: AttachmentBlob | null,
  work: (name: string | null) => Promise<HttpResult>,
): Promise<HttpResult> {
  if (blob === null) return work(null);
  const put = await service.keep(id, account, packBlob(blob));
  if (!put.ok) return refusalToHttp(put.refusal);
  try {
    return await work(put.name);
  } finally {
    const stored = await jobs.load(id);
    if (stored === null || !blobsOf(stored.job).includes(put.name)) await blobs.remove(id, [put.name]);
  }
}
