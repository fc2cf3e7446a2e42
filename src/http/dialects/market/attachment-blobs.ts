/** Putting a parcel beside a job before the commit that names it, and taking it back when no commit does. */

import { type AttachmentBlob, blobsOf, packBlob } from "../../../domain/job/attachments.ts";
import type { JobId } from "../../../domain/job/job.ts";
import type { AttachmentStore } from "../../../engine/ports/attachments.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { HttpResult } from "../../routing/answer.ts";
import { refusalToHttp } from "../../routing/refusal-to-http.ts";

export interface AttachmentParts {
  readonly service: Pick<JobService, "keep">;
  readonly parcels: Pick<AttachmentStore, "get" | "remove">;
  readonly jobs: Pick<JobStore, "load">;
}

export const NO_ROOM_LEFT = { about: "There is no room for more.", codes: ["no_room"] } as const;
export const OVER_QUOTA = {
  about: "The account has as much as it may; the sentence says what must end first.",
  codes: ["over_quota"],
} as const;

/** Runs the work with the parcel's name; a parcel that the job does not name afterwards is taken back. */
export async function withAttachments(
  { service, parcels, jobs }: AttachmentParts,
  { id, account }: { readonly id: JobId; readonly account: string },
  parcel: AttachmentBlob | null,
  work: (name: string | null) => Promise<HttpResult>,
): Promise<HttpResult> {
  if (parcel === null) return work(null);
  const put = await service.keep(id, account, packBlob(parcel));
  if (!put.ok) return refusalToHttp(put.refusal);
  try {
    return await work(put.name);
  } finally {
    const stored = await jobs.load(id);
    if (stored === null || !blobsOf(stored.job).includes(put.name)) await parcels.remove(id, [put.name]);
  }
}
