/** Background workers: deliveries, effects and timers of jobs and repositories, debts, attachments. They follow the commits. */
import type { KeptDays } from "../contracts/retention.ts";
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import { createDebts } from "./collect-debts.ts";
import type { Admit } from "./command-permission.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import { createConflictTurns } from "./conflict-turns.ts";
import { createAttachmentSweeper } from "./delete-unused-attachments.ts";
import { createDeliveryHandler } from "./deliveries.ts";
import { createFirstReadings } from "./first-readings.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import { observing } from "./handle-repository.ts";
import { jobEffects } from "./job-effects.ts";
import type { Line } from "./line.ts";
import { withFigures } from "./monthly-report.ts";
import type { Clock } from "./ports/clock.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Performer, RepositoryPerformer } from "./ports/performer.ts";
import type { StoredRepository } from "./ports/repositories.ts";
import type { Store } from "./ports/store.ts";
import type { EventPublisher } from "./ports/webhooks.ts";
import type { TaskHandlers } from "./ports/work-queue.ts";
import type { WebhookProcessor } from "./process-webhook.ts";
import { createPruning } from "./prune.ts";
import { createPublishing } from "./publish-events.ts";
import { createReconciler } from "./reconcile.ts";
import { repositoryEffects } from "./repository-effects.ts";
import { EffectsRunner } from "./run-effects.ts";
import { createSchedulePerformer } from "./schedules.ts";
import { createStartAutomation } from "./start-automation.ts";
import { createTimers } from "./timers.ts";

interface Needs {
  readonly store: Store;
  readonly clock: Clock;
  readonly githubClient: GitHubClient;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly webhookProcessor: WebhookProcessor;
  readonly line: Pick<Line, "moveAll" | "stop">;
  readonly performer: Performer;
  readonly repositoryPerformer: RepositoryPerformer;
  readonly pacing: ShowPacing;
  readonly putOff: (id: JobId) => Promise<void>;
  readonly eventPublisher: EventPublisher;
  readonly admit: Admit;
  /** Makes a job of this id, or finds the one that an earlier attempt has made. */
  readonly create: Parameters<typeof createStartAutomation>[0];
  readonly log: Log;
  readonly meter: Meter;
  readonly random: () => number;
  readonly kept_days: KeptDays;
  /** Whether files are read that no push and no job has asked for. */
  readonly reads_by_itself: boolean;
}

export class Workers {
  readonly debts;
  readonly #store;
  readonly #turns;
  readonly #attachments;
  readonly #firstReadings;
  readonly #reconciler;
  readonly #pruning;
  readonly #line;
  readonly #log;
  readonly #handlers: TaskHandlers;
  #queue: AsyncDisposable | null = null;

  constructor(needs: Needs) {
    const { store, clock, githubClient, handle, handleRepository, webhookProcessor, log, meter } = needs;
    const { performer, pacing, putOff } = needs;
    const { jobs, repositories, inbox, blobs, accounts } = store;
    const { eventPublisher, publish, repositoryPerformer } = createPublishing({ ...needs, accounts });
    const performOfSchedule = createSchedulePerformer({ jobs, start: createStartAutomation(needs.create), publish });
    const of = { store, handle, observe: observing(handleRepository) };
    this.#store = store;
    this.#log = log;
    this.#line = needs.line;
    this.debts = createDebts({ jobs, handle, log });
    this.#turns = createConflictTurns({ jobs, handle, clock, log });
    const publishing = jobEffects({ ...of, takes: isPublishEvents, performer: eventPublisher });
    const onRepositories = {
      repositories,
      performer: withFigures(repositoryPerformer, store.spending),
      performOfSchedule,
      handle: handleRepository,
    };
    const timers = createTimers({ jobs, handle, handleRepository, clock });
    this.#handlers = {
      delivery: createDeliveryHandler({ inbox, webhookProcessor, clock, log, meter }),
      "job-effects": new EffectsRunner(jobEffects({ ...of, takes: isOnGitHub, performer, pacing, putOff }), needs),
      "job-events": new EffectsRunner(publishing, needs),
      "repository-effects": new EffectsRunner(repositoryEffects(onRepositories), needs),
      "job-timer": timers.job,
      "repository-timer": timers.repository,
    };
    this.#attachments = createAttachmentSweeper({ blobs, jobs, clock, log });
    const { random, reads_by_itself } = needs;
    this.#firstReadings = createFirstReadings({
      ...{ repositories, clock, random, log, handle: handleRepository, isOn: reads_by_itself },
    });
    this.#pruning = createPruning({ jobs, kept: needs.kept_days, clock, log });
    this.#reconciler = createReconciler({ store, githubClient, clock, handle, line: needs.line, log });
  }

  async start(): Promise<void> {
    this.#queue = await this.#store.queue.work(this.#handlers, ({ kind, key }, error) =>
      this.#log.error({ task: kind, key, error }, "a task failed; it is run again"),
    );
    await this.#attachments.start();
    await this.#firstReadings.start();
    await this.debts.settle(null);
    this.#reconciler.start();
    this.#pruning.start();
  }

  /** Lets work in progress finish. */
  async stop(): Promise<void> {
    this.#reconciler.stop();
    this.#firstReadings.stop();
    await this.#pruning.stop();
    await this.#queue?.[Symbol.asyncDispose]();
    await this.#line.stop();
    await this.#attachments.stop();
    await this.debts.stop();
    await this.#turns.stop();
  }

  committed(stored: StoredJob, before: Job | null): void {
    this.#attachments.committed(before, stored.job);
    this.debts.committed(stored);
    this.#turns.committed(stored.job, before);
  }

  repositoryCommitted(stored: StoredRepository): void {
    this.#firstReadings.committed(stored);
  }
}
