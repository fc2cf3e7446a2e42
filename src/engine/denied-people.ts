/**
 * People who may not command: the no is remembered for a while, so that asking again costs no question to GitHub, and a
 * reaction is rare, since each takes a write from those who may. After a start everybody is asked about anew, but whoever
 * was shown a reaction today is shown none.
 */
import { LRUCache } from "lru-cache";
import type { EventRepository } from "../domain/job/github-event.ts";
import type { PermissionRequest } from "./permission.ts";
import type { UsageStore } from "./ports/usage.ts";
import { DAY_MS, HOUR_MS, slidingLimit } from "./sliding-limit.ts";

/** Somebody who was just given the permission waits for so long. */
export const REMEMBERED_MS = 5 * 60_000;
export const REACTIONS_PER_HOUR = 10;
/** People that are remembered at once. */
const MAX_REMEMBERED = 10_000;
/** `max` would allocate room for all of them at once. */
const BOUND = { maxSize: MAX_REMEMBERED, sizeCalculation: () => 1 };

export interface DeniedPeople {
  /** Was this person turned away here a moment ago? */
  knows(repository: EventRepository, who: PermissionRequest): boolean;
  /** This person may not command here. Answers whether that may be shown by a reaction, and counts it. */
  turnAway(repository: EventRepository, who: PermissionRequest): boolean;
}

export function createDeniedPeople(usage: UsageStore, now: () => number): DeniedPeople {
  const refused = new LRUCache<string, number>(BOUND);
  const shown = slidingLimit(usage, now, { kind: "reaction-to-person", most: 1, ms: DAY_MS });
  const lately = slidingLimit(usage, now, { kind: "reaction-in-repository", most: REACTIONS_PER_HOUR, ms: HOUR_MS });
  /** By name only where a delivery of an earlier version tells no number. */
  const keyOf = (repository: EventRepository, { id, login }: PermissionRequest): string =>
    `${repository.id} ${id ?? login.toLowerCase()}`;
  return {
    knows(repository, who) {
      const at = refused.get(keyOf(repository, who));
      return at !== undefined && now() - at < REMEMBERED_MS;
    },
    turnAway(repository, who) {
      const person = keyOf(repository, who);
      const place = `${repository.id}`;
      if (!this.knows(repository, who)) refused.set(person, now());
      if (shown.full(person) !== null || lately.full(place) !== null) return false;
      shown.add(person);
      lately.add(place);
      return true;
    },
  };
}
