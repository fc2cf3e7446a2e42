/**
 * Recovers from lost webhooks: at the start and every hour, lets waiting jobs begin for which there is room, requests
 * redelivery of failed deliveries and re-evaluates every open job. There is no polling in between.
 */
import type { Handle } from "./handle-command.ts";
import type { Line } from "./line.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Log } from "./ports/log.ts";
import type { Store } from "./ports/store.ts";

export const EVERY_MS = 3_600_000;
/** Redeliveries per round, newest first; open jobs are re-evaluated in any case. */
const MAX_REDELIVERIES = 500;

interface Needs {
  readonly store: Store;
  readonly githubClient: GitHubClient;
  readonly clock: Clock;
  readonly handle: Handle;
  readonly line: Pick<Line, "moveAll">;
  readonly log: Log;
}

export interface Reconciler {
  start(): void;
  stop(): void;
}

export function createReconciler({ store, githubClient, clock, handle, line, log }: Needs): Reconciler {
  let cancel = (): void => {};
  let stopped = false;

  const redeliver = async (): Promise<void> => {
    const failed = await githubClient.failedDeliveries();
    const unknown = new Set(await store.inbox.unknown(failed.map(({ guid }) => guid)));
    const lost = failed.filter(({ guid }) => unknown.has(guid));
    for (const { id } of lost.slice(0, MAX_REDELIVERIES)) {
      if (stopped) return;
      await githubClient.redeliver(id);
    }
  };

  const observe = async (): Promise<void> => {
    for (const id of await store.jobs.open()) {
      if (stopped) return;
      await handle(id, { type: "look", forced: true }).catch((error: unknown) =>
        log.error({ job: id, error }, "an open job could not be looked at"),
      );
    }
  };

  const moveLines = (): Promise<void> => line.moveAll();

  const round = async (): Promise<void> => {
    for (const step of [moveLines, redeliver, observe]) {
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
