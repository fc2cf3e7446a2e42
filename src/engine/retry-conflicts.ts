/** Loads, decides and commits until no other commit comes in between. */
import { setTimeout } from "node:timers/promises";

/** More conflicts in a row mean that the store is broken rather than busy. */
const MAX_CONFLICTS = 100;
/** Most conflicts are over at once; after these, each waits a random time, so that no server always loses to the others. */
const AT_ONCE = 5;
const MAX_WAIT_MS = 100;

const waitAfter = (conflicts: number): number =>
  conflicts < AT_ONCE ? 0 : Math.random() * Math.min(MAX_WAIT_MS, 2 ** (conflicts - AT_ONCE));

/** `name`: what is committed, for the error. */
export async function retryConflicts<T>(name: string, attempt: () => Promise<T | "again">): Promise<T> {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    const wait_ms = waitAfter(conflicts);
    if (wait_ms > 0) await setTimeout(wait_ms);
    const outcome = await attempt();
    if (outcome !== "again") return outcome;
  }
  throw new Error(`${name}: ${MAX_CONFLICTS} commits in a row met a conflict`);
}
