/**
 * Processes webhook deliveries: stored first, then acknowledged, processed in the background and marked done. A failed
 * delivery is retried with back-off a limited number of times; after a crash it is resumed at the start.
 */

import type { GitHubEvent } from "../domain/job/github-event.ts";
import { fullName } from "../domain/job/job.ts";
import { logDelivery } from "./event-log.ts";
import { createFairQueue } from "./fair-queue.ts";
import type { Clock } from "./ports/clock.ts";
import type { Inbox, PendingDelivery } from "./ports/inbox.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { WebhookProcessor } from "./process-webhook.ts";

/** Deliveries processed concurrently. */
const SLOTS = 20;
/** With the back-off below: about an hour. */
const MAX_ATTEMPTS = 10;
const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 600_000;

interface Needs {
  readonly inbox: Inbox;
  readonly webhookProcessor: WebhookProcessor;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Pick<Meter, "delivery">;
}

export interface InboxWorker {
  receive(id: string, event: GitHubEvent): Promise<"new" | "duplicate">;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** The queue whose order matters: commands of one issue, events of one job, data of one installation. */
function queueKeyOf(event: GitHubEvent): string {
  switch (event.type) {
    case "slash":
    case "label":
      return `issue ${fullName(event.repository)}#${event.issue.number}`;
    case "review":
      return `issue ${fullName(event.repository)}#${event.pull_request}`;
    case "button":
    case "news":
      return `job ${event.job}`;
    case "pull-news":
      return `pull ${fullName(event.repository)}#${event.numbers[0]}`;
    case "set-up-changed":
    case "branch-moved":
    case "files-pushed":
    case "default-branch-moved":
      return `installation ${event.repository.installation_id}`;
    case "trigger-news":
      return "issue" in event.news
        ? `issue ${fullName(event.repository)}#${event.news.issue.number}`
        : `triggers ${event.repository.id}`;
    case "repositories-changed":
    case "uninstalled":
      return `installation ${event.installation_id}`;
    default:
      return event satisfies never;
  }
}

const installationOf = (event: GitHubEvent): number =>
  "repository" in event ? event.repository.installation_id : event.installation_id;

export function createInboxWorker({ inbox, webhookProcessor, clock, log, meter }: Needs): InboxWorker {
  const fairQueue = createFairQueue(SLOTS);
  const working = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  let stopping = false;

  const attempt = async (delivery: PendingDelivery, failures: number, again: boolean): Promise<void> => {
    if (stopping) return;
    try {
      const acted = await webhookProcessor(delivery.id, delivery.event, again);
      if (acted !== null) logDelivery(log, delivery.id, delivery.event, acted);
      await inbox.done(delivery.id);
      meter.delivery("done", clock.now() - delivery.at);
    } catch (error) {
      if (failures + 1 >= MAX_ATTEMPTS) {
        log.error({ delivery: delivery.id, github_event: delivery.event.type, error }, "a delivery is given up");
        await inbox.done(delivery.id);
        meter.delivery("abandoned", clock.now() - delivery.at);
        return;
      }
      log.warn(
        { delivery: delivery.id, github_event: delivery.event.type, error, attempt: failures + 1 },
        "a delivery is put off",
      );
      const at = clock.now() + Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
      const cancel = clock.at(at, () => {
        waiting.delete(cancel);
        work(delivery, failures + 1, true);
      });
      waiting.add(cancel);
    }
  };

  /** Deliveries of one queue are processed one by one, in the order received. */
  const queues = new Map<string, Promise<void>>();

  const work = (delivery: PendingDelivery, failures: number, again: boolean): void => {
    const receiverQueue = queueKeyOf(delivery.event);
    const done: Promise<void> = (queues.get(receiverQueue) ?? Promise.resolve())
      .then(() => fairQueue.take(installationOf(delivery.event), () => attempt(delivery, failures, again)))
      .catch((error: unknown) => log.error({ delivery: delivery.id, error }, "the inbox failed"))
      .finally(() => {
        working.delete(done);
        if (queues.get(receiverQueue) === done) queues.delete(receiverQueue);
      });
    queues.set(receiverQueue, done);
    working.add(done);
  };

  return {
    async receive(id, event) {
      const delivery = { id, event, at: clock.now() };
      const recorded = await inbox.record(delivery);
      if (recorded === "new") work(delivery, 0, false);
      return recorded;
    },
    async resume() {
      for (const delivery of await inbox.pending()) work(delivery, 0, true);
    },
    async stop() {
      stopping = true;
      for (const cancel of waiting) cancel();
      waiting.clear();
      await Promise.allSettled(working);
    },
  };
}
