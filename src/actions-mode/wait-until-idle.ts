/** When a process may end: all that is due has been done, or there is nothing left worth waiting for. */

import type { PendingEffect } from "../domain/job/effect.ts";
import type { JobId } from "../domain/job/job.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { Store } from "../engine/ports/store.ts";
import type { ChangeNotifier } from "./watched-store.ts";

/** What is left when the wait is over. */
export interface PendingWork {
  /** The event itself could not be processed. */
  readonly unprocessed: boolean;
  /** Effects that were tried and did not succeed. */
  readonly failed: readonly { readonly id: JobId; readonly effect: PendingEffect }[];
}

/**
 * What is due later than this (the look for checks that may have been missed) rests with the job until its next event,
 * since a runner that waits is paid for.
 */
const LONGEST_NAP_MS = 12_000;
/** Timers fire a little early or late. */
const SLACK_MS = 20;

interface Pending {
  readonly deliveries: number;
  readonly effects: readonly { readonly id: JobId; readonly effect: PendingEffect }[];
}

async function pendingIn(store: Store): Promise<Pending> {
  const effects: { id: JobId; effect: PendingEffect }[] = [];
  for (const id of await store.jobs.withEffects()) {
    const stored = await store.jobs.load(id);
    for (const effect of stored?.effects ?? []) effects.push({ id, effect });
  }
  return { deliveries: (await store.inbox.pending()).length, effects };
}

/** `interrupted`: it is known already that this must be done over. */
export async function waitUntilIdle(
  store: Store,
  changes: ChangeNotifier,
  clock: Clock,
  until: number,
  interrupted: () => boolean,
): Promise<PendingWork> {
  /** Effects that were too far away when they came up stay left, however close they get while others are waited for. */
  const resting = new Set<string>();
  const isAwaited = (id: JobId, effect: PendingEffect, now: number): boolean => {
    if (effect.attempts > 0) return effect.not_before <= until;
    const name = `${id} ${effect.key} ${effect.serial}`;
    if (effect.not_before > now + LONGEST_NAP_MS) resting.add(name);
    return effect.not_before <= until && !resting.has(name);
  };
  for (;;) {
    const seen = changes.count;
    const { deliveries, effects } = await pendingIn(store);
    const now = clock.now();
    const awaited = effects.filter(({ id, effect }) => isAwaited(id, effect, now));
    if (now >= until || interrupted() || (deliveries === 0 && awaited.length === 0))
      return { unprocessed: deliveries > 0, failed: effects.filter(({ effect }) => effect.attempts > 0) };
    await changes.next(seen, until - now + SLACK_MS);
  }
}
