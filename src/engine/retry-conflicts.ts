/** Loads, decides and commits until no other commit comes in between. */

/** More conflicts in a row mean that the store is broken rather than busy. */
const MAX_CONFLICTS = 50;

/** `name`: what is committed, for the error. */
export async function retryConflicts<T>(name: string, attempt: () => Promise<T | "again">): Promise<T> {
  for (let attempts = 0; attempts < MAX_CONFLICTS; attempts++) {
    const outcome = await attempt();
    if (outcome !== "again") return outcome;
  }
  throw new Error(`${name}: ${MAX_CONFLICTS} commits in a row met a conflict`);
}
