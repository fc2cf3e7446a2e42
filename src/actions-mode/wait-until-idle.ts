/** Decides when the process may end: everything due is done, or nothing left is worth waiting for. */

import type { Effect, PendingEffect } from "../domain/job/effect.ts";
import type { JobId } from "../domain/job/job.ts";
import type { Pending } from "../domain/pending-effect.ts";
import type { RepositoryEffect } from "../domain/repository/effect.ts";
import type { EffectStore } from "../engine/ports/aggregate.ts";
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

interface Owned<Id, E> {
  readonly id: Id;
  readonly effect: Pending<E>;
}

interface PendingInStore {
  readonly deliveries: number;
  /** A job stands in line to catch up with its base, and has not been told whether others come first. */
  readonly turns: boolean;
  readonly effects: readonly Owned<JobId, Effect>[];
  readonly on_repositories: readonly Owned<number, RepositoryEffect>[];
}

async function effectsIn<Id, E>(
  store: Pick<EffectStore<Id, { readonly effects: readonly Pending<E>[] }>, "load" | "withEffects">,
): Promise<Owned<Id, E>[]> {
  const effects: Owned<Id, E>[] = [];
  for (const id of await store.withEffects()) {
    const stored = await store.load(id);
    for (const effect of stored?.effects ?? []) effects.push({ id, effect });
  }
  return effects;
}

async function awaitsTurn({ jobs }: Store): Promise<boolean> {
  for (const id of await jobs.open()) {
    const turn = (await jobs.load(id))?.job.catch_up.turn ?? null;
    if (turn !== null && turn.taken_at === null && turn.after === null) return true;
  }
  return false;
}

const pendingIn = async (store: Store): Promise<PendingInStore> => ({
  turns: await awaitsTurn(store),
  effects: await effectsIn(store.jobs),
  on_repositories: await effectsIn(store.repositories),
  deliveries: (await store.inbox.pending()).length,
});

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
  const isAwaited = ({ id, effect }: Owned<JobId | number, unknown>, now: number): boolean => {
    if (effect.attempts > 0) return effect.not_before <= until;
    const name = `${id} ${effect.key} ${effect.serial}`;
    if (effect.not_before > now + LONGEST_NAP_MS) resting.add(name);
    return effect.not_before <= until && !resting.has(name);
  };
  for (;;) {
    const seen = changes.count;
    const { deliveries, turns, effects, on_repositories } = await pendingIn(store);
    const now = clock.now();
    const awaited = [...effects, ...on_repositories].filter((owned) => isAwaited(owned, now));
    if (now >= until || interrupted() || (deliveries === 0 && !turns && awaited.length === 0))
      return { unprocessed: deliveries > 0, failed: effects.filter(({ effect }) => effect.attempts > 0) };
    await changes.next(seen, until - now + SLACK_MS);
  }
}
