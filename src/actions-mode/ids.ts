/**
 * Derives job ids from the event, since one event creates at most one job. A run that was interrupted and is repeated
 * then finds the branch of its first attempt instead of creating a second one.
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
