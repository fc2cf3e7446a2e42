/**
 * Whether GitHub's limits leave room for another job, asked before one is made: who would have to wait is told when to come
 * again, at once, and nothing is left behind.
 */
import type { Desk } from "../engine/ports.ts";
import type { Repository } from "../job/job.ts";
import { type Answer, failure } from "./answer.ts";
import { MOST_ROOM_WAIT_MS } from "./limits.ts";

export const LIMITED = {
  about: "GitHub's limits leave no room for another job now, or too many requests.",
  codes: ["rate_limited"],
  headers: { "Retry-After": "In how many seconds to come again." },
} as const;

/** Null: there is room. */
export function noRoom(desk: Pick<Desk, "pushWait">, { installation_id }: Repository): Answer | null {
  const wait = desk.pushWait(installation_id);
  if (wait <= MOST_ROOM_WAIT_MS) return null;
  const seconds = Math.ceil(wait / 1_000);
  const sentence = `GitHub's limits leave no room for another job now; come again in ${seconds} seconds.`;
  return failure(429, "rate_limited", sentence, { "Retry-After": String(seconds) });
}
