/** Putting a parcel beside a job before the commit that names it, and taking it back when no commit does. */
import type { ParcelStore } from "../engine/market-ports.ts";
import type { JobStore } from "../engine/ports.ts";
import type { JobId } from "../job/job.ts";
import { type Parcel, packParcel, parcelsOf } from "../job/parcel.ts";
import { failure } from "./answer.ts";

export interface ParcelParts {
  readonly parcels: ParcelStore;
  readonly jobs: Pick<JobStore, "load">;
}

export const NO_ROOM_LEFT = { about: "There is no room for more.", codes: ["no_room"] } as const;

export const NO_ROOM = failure(
  503,
  "no_room",
  "The server has no room for more attachments and files; send less, or come again later.",
  { "Retry-After": "600" },
);

/** Runs the work with the parcel's name; a parcel that the job does not name afterwards is taken back. */
export async function withParcel<T>(
  { parcels, jobs }: ParcelParts,
  id: JobId,
  parcel: Parcel | null,
  work: (name: string | null) => Promise<T>,
): Promise<T | typeof NO_ROOM> {
  if (parcel === null) return work(null);
  const put = await parcels.put(id, packParcel(parcel));
  if (put === "full") return NO_ROOM;
  try {
    return await work(put.name);
  } finally {
    const stored = await jobs.load(id);
    if (stored === null || !parcelsOf(stored.job).includes(put.name)) await parcels.remove(id, [put.name]);
  }
}
