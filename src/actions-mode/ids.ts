/**
 * Job ids that a repeated run draws again: one event asks for one job at most, so the job is named after the event. A
 * run that was cut off and is run again then meets the branch of its own first attempt instead of making a second one.
 */
import { createHash } from "node:crypto";
import { asJobId, fullName, type JobId } from "../domain/job/job.ts";
import type { Ids } from "../engine/ports/ids.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 8;

export function idOfEvent(repository: { owner: string; name: string }, run_id: string, draw: number): JobId {
  const hash = createHash("sha256")
    .update(`${fullName(repository).toLowerCase()} ${run_id} ${draw}`)
    .digest();
  const text = Array.from(hash.subarray(0, LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  const id = asJobId(text);
  if (id === null) throw new Error(`Drew a malformed job id: ${text}`);
  return id;
}

export function createEventIds(repository: { owner: string; name: string }, run_id: string): Ids {
  let draws = 0;
  return { jobId: () => idOfEvent(repository, run_id, draws++) };
}
