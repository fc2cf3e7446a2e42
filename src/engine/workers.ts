/** Background workers: deliveries, effects and timers of jobs and repositories, debts, attachments. They follow the commits. */
import type { KeptDays } from "../contracts/retention.ts";
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import { nextTimerAt } from "../domain/job/next-timer.ts";
import { nextTimerAt as nextRepositoryTimerAt } from "../domain/repository/next-timer.ts";
import { createDebts } from "./collect-debts.ts";
import type { Admit } from "./command-permission.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import { createConflictTurns } from "./conflict-turns.ts";
import { createAttachmentSweeper } from "./delete-unused-attachments.ts";
import { createFirstReadings } from "./first-readings.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import { observing } from "./handle-repository.ts";
import { createInboxWorker } from "./inbox.ts";
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
  readonly inbox;
  readonly debts;
  readonly #store;
  readonly #effects;
  readonly #eventPublishing;
  readonly #turns;
  readonly #attachments;
  readonly #repositoryEffects;
  readonly #timers;
  readonly #repositoryTimers;
  readonly #firstReadings;
  readonly #reconciler;
  readonly #pruning;
  readonly #line;

  constructor(needs: Needs) {
    const { store, clock, githubClient, handle, handleRepository, webhookProcessor, log, meter } = needs;
    const { performer, pacing } = needs;
    const { jobs, repositories, inbox, blobs, accounts } = store;
    const { eventPublisher, publish, repositoryPerformer } = createPublishing({ ...needs, accounts });
    const performOfSchedule = createSchedulePerformer({ jobs, start: createStartAutomation(needs.create), publish });
    const of = { store, handle, observe: observing(handleRepository) };
    this.#store = store;
    this.#line = needs.line;
    this.inbox = createInboxWorker({ inbox, webhookProcessor, clock, log, meter });
    this.debts = createDebts({ jobs, handle, log });
    this.#turns = createConflictTurns({ jobs, handle, clock, log });
    this.#effects = new EffectsRunner(jobEffects({ ...of, takes: isOnGitHub, performer, pacing }), needs);
    const publishing = jobEffects({ ...of, takes: isPublishEvents, performer: eventPublisher });
    this.#eventPublishing = new EffectsRunner(publishing, needs);
    const onRepositories = {
      repositories,
      performer: withFigures(repositoryPerformer, store.spending),
      performOfSchedule,
      handle: handleRepository,
    };
    this.#repositoryEffects = new EffectsRunner(repositoryEffects(onRepositories), needs);
    this.#attachments = createAttachmentSweeper({ blobs, jobs, clock, log });
    const wake = (id: JobId) => handle(id, { type: "tick" });
    this.#timers = createTimers({ store: jobs, clock, wake, kind: "job", log });
    const wakeRepository = (id: number) => handleRepository(id, { type: "tick" });
    const kind = "repository";
    this.#repositoryTimers = createTimers({ store: repositories, clock, wake: wakeRepository, kind, log });
    const { random, reads_by_itself } = needs;
    this.#firstReadings = createFirstReadings({
      ...{ repositories, clock, random, log, handle: handleRepository, isOn: reads_by_itself },
    });
    this.#pruning = createPruning({ jobs, kept: needs.kept_days, clock, log });
    this.#reconciler = createReconciler({ store, githubClient, clock, handle, line: needs.line, log });
  }

  async start(): Promise<void> {
    const { jobs, repositories } = this.#store;
    for (const id of await jobs.withEffects()) {
      const stored = await jobs.load(id);
      if (stored === null) continue;
      this.#eventPublishing.resume(stored);
      this.#effects.resume(stored);
    }
    for (const id of await repositories.withEffects()) {
      const stored = await repositories.load(id);
      if (stored !== null) this.#repositoryEffects.resume(stored);
    }
    await this.inbox.resume();
    await this.#attachments.start();
    await this.#timers.start();
    await this.#repositoryTimers.start();
    await this.#firstReadings.start();
    await this.debts.settle(null);
    this.#reconciler.start();
    this.#pruning.start();
  }

  /** Lets work in progress finish. */
  async stop(): Promise<void> {
    this.#reconciler.stop();
    this.#timers.stop();
    this.#repositoryTimers.stop();
    this.#firstReadings.stop();
    await this.#pruning.stop();
    await this.inbox.stop();
    await this.#line.stop();
    await this.#effects.stop();
    await this.#repositoryEffects.stop();
    await this.#attachments.stop();
    await this.debts.stop();
    await this.#turns.stop();
    await this.#eventPublishing.stop();
  }

  committed(stored: StoredJob, before: Job | null): void {
    this.#attachments.committed(before, stored.job);
    this.debts.committed(stored);
    this.#turns.committed(stored.job, before);
    this.#timers.committed(nextTimerAt(stored.job));
    if (stored.effects.some(({ effect }) => isPublishEvents(effect))) this.#eventPublishing.enqueue(stored);
    if (stored.effects.some(({ effect }) => isOnGitHub(effect))) this.#effects.enqueue(stored);
  }

  repositoryCommitted(stored: StoredRepository): void {
    this.#repositoryTimers.committed(nextRepositoryTimerAt(stored.state));
    if (stored.effects.length > 0) this.#repositoryEffects.enqueue(stored);
    this.#firstReadings.committed(stored);
  }
}
