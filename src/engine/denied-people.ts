/**
 * Caches people without permission: repeated commands cost no request to GitHub, and each person gets a reaction
 * rarely, since it uses a write of people with permission. After a restart permissions are checked again, but nobody
 * gets a second reaction on the same day.
 */
import { LRUCache } from "lru-cache";
import type { EventRepository } from "../domain/job/github-event.ts";
import type { PermissionRequest } from "./command-permission.ts";
import type { UsageStore } from "./ports/usage.ts";
import { DAY_MS, HOUR_MS, slidingLimit } from "./sliding-limit.ts";

/** How long a newly granted permission may go unnoticed. */
export const REMEMBERED_MS = 5 * 60_000;
export const REACTIONS_PER_HOUR = 10;
/** Cached people. */
const MAX_REMEMBERED = 10_000;
/** `max` would preallocate all entries. */
const BOUND = { maxSize: MAX_REMEMBERED, sizeCalculation: () => 1 };

export interface DeniedPeople {
  /** Whether this person was denied here recently. */
  isDenied(repository: EventRepository, who: PermissionRequest): boolean;
  /** Records that this person was denied. Returns whether a reaction may be shown, and counts it. */
  deny(repository: EventRepository, who: PermissionRequest): Promise<boolean>;
}

export function createDeniedPeople(usage: UsageStore, now: () => number): DeniedPeople {
  const refused = new LRUCache<string, number>(BOUND);
  const shown = slidingLimit(usage, now, { kind: "reaction-to-person", most: 1, ms: DAY_MS });
  const lately = slidingLimit(usage, now, { kind: "reaction-in-repository", most: REACTIONS_PER_HOUR, ms: HOUR_MS });
  /** By login only for deliveries of older versions, which lack the number. */
  const keyOf = (repository: EventRepository, { id, login }: PermissionRequest): string =>
    `${repository.id} ${id ?? login.toLowerCase()}`;
  return {
    isDenied(repository, who) {
      const at = refused.get(keyOf(repository, who));
      return at !== undefined && now() - at < REMEMBERED_MS;
    },
    async deny(repository, who) {
      const person = keyOf(repository, who);
      const place = `${repository.id}`;
      if (!this.isDenied(repository, who)) refused.set(person, now());
      if ((await lately.full(place)) !== null || (await shown.take(person)) !== null) return false;
      return (await lately.take(place)) === null;
    },
  };
}
