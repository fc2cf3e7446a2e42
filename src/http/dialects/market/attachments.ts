/** Putting a parcel beside a job before the commit that names it, and taking it back when no commit does. */

import { type Parcel, packParcel, parcelsOf } from "../../../domain/job/attachments.ts";
import type { JobId } from "../../../domain/job/job.ts";
import type { ParcelStore } from "../../../engine/ports/market.ts";
import type { Door } from "../../../engine/ports/service.ts";
import type { JobStore } from "../../../engine/ports/stores.ts";
import type { Answer } from "../../routing/answer.ts";
import { refused } from "../../routing/refusal-to-http.ts";

export interface ParcelParts {
  readonly door: Pick<Door, "keep">;
  readonly parcels: Pick<ParcelStore, "get" | "remove">;
  readonly jobs: Pick<JobStore, "load">;
}

export const NO_ROOM_LEFT = { about: "There is no room for more.", codes: ["no_room"] } as const;
export const OVER_QUOTA = {
  about: "The account has as much as it may; the sentence says what must end first.",
  codes: ["over_quota"],
} as const;

/** Runs the work with the parcel's name; a parcel that the job does not name afterwards is taken back. */
export async function withParcel(
  { door, parcels, jobs }: ParcelParts,
  { id, account }: { readonly id: JobId; readonly account: string },
  parcel: Parcel | null,
  work: (name: string | null) => Promise<Answer>,
): Promise<Answer> {
  if (parcel === null) return work(null);
  const put = await door.keep(id, account, packParcel(parcel));
  if (!put.ok) return refused(put.refusal);
  try {
    return await work(put.name);
  } finally {
    const stored = await jobs.load(id);
    if (stored === null || !parcelsOf(stored.job).includes(put.name)) await parcels.remove(id, [put.name]);
  }
}
