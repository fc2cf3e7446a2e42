/**
 * What webhooks failed to tell: at the start and every hour GitHub is asked to send failed deliveries again, and every
 * open job is observed as if a webhook had come. Recovery, not polling: between two rounds nothing is asked.
 */
import type { Handle } from "./handle.ts";
import type { Clock, Desk, Log, Store } from "./ports.ts";

export const EVERY_MS = 3_600_000;

interface Needs {
  readonly store: Store;
  readonly desk: Desk;
  readonly clock: Clock;
  readonly handle: Handle;
  readonly log: Log;
}

export interface Reconciler {
  start(): void;
  stop(): void;
}

export function createReconciler({ store, desk, clock, handle, log }: Needs): Reconciler {
  let cancel = (): void => {};
  let stopped = false;

  const redeliver = async (): Promise<void> => {
    for (const { id, guid } of await desk.failedDeliveries()) {
      if (stopped) return;
      if (!store.inbox.knows(guid)) await desk.redeliver(id);
    }
  };

  const observe = async (): Promise<void> => {
    for (const id of await store.jobs.open()) {
      if (stopped) return;
      await handle(id, { type: "look", forced: true });
    }
  };

  const round = async (): Promise<void> => {
    for (const step of [redeliver, observe]) {
      try {
        await step();
      } catch (error) {
        log.warn({ error, step: step.name }, "a step of the reconciliation failed; it is tried again in an hour");
      }
    }
    if (!stopped) cancel = clock.at(clock.now() + EVERY_MS, () => void round());
  };

  return {
    start: () => void round(),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
