/** Background workers: deliveries, effects, timers, debts and attachments. All of them follow the commits. */
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import { createDebts } from "./collect-debts.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import { createAttachmentSweeper } from "./delete-unused-attachments.ts";
import type { Handle } from "./handle-command.ts";
import { createInboxWorker } from "./inbox.ts";
import { createJobTimers } from "./job-timers.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Performer } from "./ports/performer.ts";
import type { Store } from "./ports/store.ts";
import type { EventPublisher } from "./ports/webhooks.ts";
import type { WebhookProcessor } from "./process-webhook.ts";
import { createReconciler } from "./reconcile.ts";
import { EffectsRunner } from "./run-effects.ts";

interface Needs {
  readonly store: Store;
  readonly clock: Clock;
  readonly githubClient: GitHubClient;
  readonly handle: Handle;
  readonly webhookProcessor: WebhookProcessor;
  readonly performer: Performer;
  readonly pacing: ShowPacing;
  readonly putOff: (id: JobId) => Promise<void>;
  readonly eventPublisher: EventPublisher;
  readonly log: Log;
  readonly meter: Meter;
  readonly random: () => number;
}

export class Workers {
  readonly inbox;
  readonly debts;
  readonly #store;
  readonly #effects;
  readonly #eventPublishing;
  readonly #attachments;
  readonly #timers;
  readonly #reconciler;

  constructor(needs: Needs) {
    const { store, clock, githubClient, handle, webhookProcessor, performer, eventPublisher, log, meter } = needs;
    const { jobs, inbox, blobs } = store;
    this.#store = store;
    this.inbox = createInboxWorker({ inbox, webhookProcessor, clock, log, meter });
    this.debts = createDebts({ jobs, handle, log });
    this.#effects = new EffectsRunner({ ...needs, takes: isOnGitHub, performer });
    this.#eventPublishing = new EffectsRunner({ ...needs, takes: isPublishEvents, performer: eventPublisher });
    this.#attachments = createAttachmentSweeper({ blobs, jobs, clock, log });
    this.#timers = createJobTimers({ jobs, clock, handle, log });
    this.#reconciler = createReconciler({ store, githubClient, clock, handle, log });
  }

  async start(): Promise<void> {
    const { jobs } = this.#store;
    for (const id of await jobs.withEffects()) {
      const stored = await jobs.load(id);
      if (stored === null) continue;
      this.#eventPublishing.resume(stored);
      this.#effects.resume(stored);
    }
    await this.inbox.resume();
    await this.#attachments.start();
    await this.#timers.start();
    await this.debts.settle(null);
    this.#reconciler.start();
  }

  /** Lets work in progress finish. */
  async stop(): Promise<void> {
    this.#reconciler.stop();
    this.#timers.stop();
    await this.inbox.stop();
    await this.#effects.stop();
    await this.#attachments.stop();
    await this.debts.stop();
    await this.#eventPublishing.stop();
  }

  committed(stored: StoredJob, before: Job | null): void {
    this.#attachments.committed(before, stored.job);
    this.debts.committed(stored);
    this.#timers.committed(stored.job);
    if (stored.effects.some(({ effect }) => isPublishEvents(effect))) this.#eventPublishing.enqueue(stored.job);
    if (stored.effects.some(({ effect }) => isOnGitHub(effect))) this.#effects.enqueue(stored.job);
  }
}
