/** Asks GitHub for a person's permission in a repository, and remembers the answers for a while. */
import { LRUCache } from "lru-cache";
import type { Permission, Permitted } from "../../engine/ports/github.ts";
import type { Caller } from "./octokit.ts";

/** GitHub reports maintain as write and triage as read (github-facts 8.7). */
function permissionOf(text: string): Permission {
  switch (text) {
    case "admin":
      return "admin";
    case "write":
    case "maintain":
      return "write";
    case "read":
    case "triage":
      return "read";
    default:
      return "none";
  }
}

interface Place {
  readonly owner: string;
  readonly repo: string;
}

/** Throws what Octokit throws, also for a login that does not exist. */
export async function readPermission(octokit: Caller, at: Place, username: string): Promise<Permitted> {
  const { data } = await octokit.request("GET /repos/{owner}/{repo}/collaborators/{username}/permission", {
    ...at,
    username,
  });
  const { permission, user } = data;
  return { permission: permissionOf(permission), person: user && { id: user.id, login: user.login } };
}

/** How long a permission that was taken away may still count. */
const KEPT_MS = 5 * 60_000;
const MAX_KEPT = 10_000;

/** The same from memory where it was asked lately. Never for commands, which need the permission of now. */
export type KnownPermission = (octokit: Caller, at: Place, username: string) => Promise<Permitted>;

export function createKnownPermission(now: () => number): KnownPermission {
  // `max` would preallocate all entries.
  const known = new LRUCache<string, Permitted>({
    ...{ maxSize: MAX_KEPT, sizeCalculation: () => 1, ttl: KEPT_MS, ttlResolution: 0 },
    perf: { now },
  });
  return async (octokit, at, username) => {
    const key = `${at.owner}/${at.repo} ${username}`.toLowerCase();
    const before = known.get(key);
    if (before !== undefined) return before;
    const permitted = await readPermission(octokit, at, username);
    known.set(key, permitted);
    return permitted;
  };
}
