/** Background workers: deliveries, effects and timers of jobs and repositories, debts, attachments. They follow the commits. */
import type { KeptDays } from "../contracts/retention.ts";
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import { createBudgetNews } from "./budget-news.ts";
import { createDebts } from "./collect-debts.ts";
import type { Admit } from "./command-permission.ts";
import type { ShowPacing } from "./comment-pacing.ts";
import { createConflictTurns } from "./conflict-turns.ts";
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
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Performer, RepositoryPerformer } from "./ports/performer.ts";
import type { Store } from "./ports/store.ts";
import type { EventPublisher } from "./ports/webhooks.ts";
import { ANY, type Task, type TaskHandlers } from "./ports/work-queue.ts";
import type { WebhookProcessor } from "./process-webhook.ts";
import { createPruning, FIRST_PRUNE_MS } from "./prune.ts";
import { createPublishing } from "./publish-events.ts";
import { createReconciler } from "./reconcile.ts";
import { repositoryEffects } from "./repository-effects.ts";
import { EffectsRunner } from "./run-effects.ts";
import { createSchedulePerformer } from "./schedules.ts";
import { createStartAutomation } from "./start-automation.ts";
import { createTimers } from "./timers.ts";
import { createAttachmentSweeper } from "./unused-attachments.ts";

interface Needs {
  readonly store: Store;
  readonly clock: Clock;
  readonly githubClient: GitHubClient;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly webhookProcessor: WebhookProcessor;
  readonly line: Pick<Line, "moveAll" | "handlers" | "facts">;
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
  readonly debts;
  readonly #store;
  readonly #clock;
  readonly #log;
  readonly #handlers: TaskHandlers;
  #work: AsyncDisposable | null = null;

  constructor(needs: Needs) {
    const { store, clock, githubClient, handle, handleRepository, webhookProcessor, line, log, meter } = needs;
    const { performer, pacing, random, reads_by_itself: isOn } = needs;
    const { jobs, repositories, inbox, blobs, accounts, queue } = store;
    const { eventPublisher, publish, repositoryPerformer } = createPublishing({ ...needs, accounts });
    const performOfSchedule = createSchedulePerformer({ jobs, start: createStartAutomation(needs.create), publish });
    const of = { store, handle, observe: observing(handleRepository) };
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.debts = createDebts({ jobs, handle });
    const publishing = jobEffects({ ...of, takes: isPublishEvents, performer: eventPublisher });
    const onRepositories = {
      repositories,
      performer: withFigures(repositoryPerformer, store.spending),
      performOfSchedule,
      handle: handleRepository,
    };
    const timers = createTimers({ jobs, handle, handleRepository, clock });
    const attachments = createAttachmentSweeper({ blobs, jobs, queue, clock });
    this.#handlers = {
      delivery: createDeliveryHandler({ inbox, webhookProcessor, clock, log, meter }),
      "job-effects": new EffectsRunner(jobEffects({ ...of, takes: isOnGitHub, performer, pacing }), needs),
      "job-events": new EffectsRunner(publishing, needs),
      "repository-effects": new EffectsRunner(repositoryEffects(onRepositories), needs),
      "job-timer": timers.job,
      "repository-timer": timers.repository,
      ...line.handlers,
      "budget-news": createBudgetNews({ repositories, facts: line.facts, handleRepository }),
      "catch-up": createConflictTurns({ jobs, handle, clock }),
      debts: this.debts,
      attachment: attachments.one,
      attachments: attachments.all,
      "first-reading": createFirstReadings({ repositories, clock, random, handle: handleRepository, isOn }),
      reconcile: createReconciler({ store, githubClient, clock, handle, line, log }),
      prune: createPruning({ jobs, kept: needs.kept_days, clock, log }),
    };
  }

  async start(): Promise<void> {
    const { queue } = this.#store;
    this.#work = await queue.work(this.#handlers, ({ kind, key }, error) =>
      this.#log.error({ task: kind, key, error }, "a task failed; it is run again"),
    );
    const kinds = ["attachments", "first-reading", "debts", "reconcile"] as const;
    const prune: Task = { kind: "prune", key: ANY, at: this.#clock.now() + FIRST_PRUNE_MS };
    await queue.schedule([...kinds.map((kind) => ({ kind, key: ANY })), prune]);
  }

  /** Lets work in progress finish. */
  async stop(): Promise<void> {
    await this.#work?.[Symbol.asyncDispose]();
  }
}
