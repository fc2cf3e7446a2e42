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
import type { TaskHandler, TaskRun } from "./ports/work-queue.ts";

export const EVERY_MS = 3_600_000;
/** Redeliveries per round, newest first; open jobs are re-evaluated in any case. */
const MAX_REDELIVERIES = 500;

interface Needs {
  readonly store: Store;
  readonly githubClient: GitHubClient;
  readonly clock: Pick<Clock, "now">;
  readonly handle: Handle;
  readonly line: Pick<Line, "moveAll">;
  readonly log: Log;
}

export function createReconciler({ store, githubClient, clock, handle, line, log }: Needs): TaskHandler {
  const redeliver = async ({ signal }: TaskRun): Promise<void> => {
    const failed = await githubClient.failedDeliveries();
    const unknown = new Set(await store.inbox.unknown(failed.map(({ guid }) => guid)));
    const lost = failed.filter(({ guid }) => unknown.has(guid));
    for (const { id } of lost.slice(0, MAX_REDELIVERIES)) {
      if (signal.aborted) return;
      await githubClient.redeliver(id);
    }
  };

  const observe = async ({ signal }: TaskRun): Promise<void> => {
    for (const id of await store.jobs.open()) {
      if (signal.aborted) return;
      await handle(id, { type: "look", forced: true }).catch((error: unknown) =>
        log.error({ job: id, error }, "an open job could not be looked at"),
      );
    }
  };

  const moveLines = (_run: TaskRun): Promise<void> => line.moveAll();

  return {
    slots: 1,
    async perform(_key, run) {
      for (const step of [moveLines, redeliver, observe]) {
        try {
          await step(run);
        } catch (error) {
          log.warn({ error, step: step.name }, "a step of the reconciliation failed; it is tried again in an hour");
        }
      }
      return { again_at: clock.now() + EVERY_MS };
    },
  };
}
