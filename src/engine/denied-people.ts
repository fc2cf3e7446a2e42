/**
 * People who may not command: the no is remembered for a while, so that asking again costs no question to GitHub, and a
 * reaction is rare, since each takes a write from those who may. In memory: after a start everybody is asked about anew.
 */
import { LRUCache } from "lru-cache";
import type { EventRepository } from "../domain/job/github-event.ts";
import type { PermissionRequest } from "./permission.ts";

/** Somebody who was just given the permission waits for so long. */
export const REMEMBERED_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
export const REACTIONS_PER_HOUR = 10;
/** People, and repositories, that are remembered at once. */
const MAX_REMEMBERED = 10_000;
/** `max` would allocate room for all of them at once. */
const BOUND = { maxSize: MAX_REMEMBERED, sizeCalculation: () => 1 };

export interface DeniedPeople {
  /** Was this person turned away here a moment ago? */
  knows(repository: EventRepository, who: PermissionRequest): boolean;
  /** This person may not command here. Answers whether that may be shown by a reaction, and counts it. */
  turnAway(repository: EventRepository, who: PermissionRequest): boolean;
}

export function createDeniedPeople(now: () => number): DeniedPeople {
  const refused = new LRUCache<string, number>(BOUND);
  const reacted = new LRUCache<string, number>(BOUND);
  const recent = new LRUCache<number, readonly number[]>(BOUND);
  /** By name only where a delivery of an earlier version tells no number. */
  const keyOf = (repository: EventRepository, { id, login }: PermissionRequest): string =>
    `${repository.id} ${id ?? login.toLowerCase()}`;
  return {
    knows(repository, who) {
      const at = refused.get(keyOf(repository, who));
      return at !== undefined && now() - at < REMEMBERED_MS;
    },
    turnAway(repository, who) {
      const key = keyOf(repository, who);
      if (!this.knows(repository, who)) refused.set(key, now());
      const last = reacted.get(key);
      if (last !== undefined && now() - last < DAY_MS) return false;
      const lately = (recent.get(repository.id) ?? []).filter((at) => now() - at < HOUR_MS);
      if (lately.length >= REACTIONS_PER_HOUR) return false;
      reacted.set(key, now());
      recent.set(repository.id, [...lately, now()]);
      return true;
    },
  };
}
