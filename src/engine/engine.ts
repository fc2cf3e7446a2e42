/** Wires the command handler to the inbox, effect runners, timers and reconciliation. */

import { DEFAULT_KEPT_DAYS, type KeptDays } from "../contracts/retention.ts";
import type { Job } from "../domain/job/job.ts";
import type { ModelDefaults } from "../domain/job/model-selection.ts";
import { outcomeOf } from "../domain/job/outcome.ts";
import type { QuotaLimits } from "../domain/job/quotas.ts";
import { createAccountBudgetNews } from "./account-budget-news.ts";
import { createPull } from "./claim-work.ts";
import { createPermission } from "./command-permission.ts";
import { createAnswers } from "./comment-answers.ts";
import { createShowPacing, type ShowPacing } from "./comment-pacing.ts";
import { createCommitSubscribers } from "./commit-subscribers.ts";
import { JobCreator } from "./create-job.ts";
import { createDoctor } from "./doctor.ts";
import { enforceDeadlines } from "./enforce-deadlines.ts";
import { createTriggers } from "./fire-trigger.ts";
import { CommandHandler, type Handle } from "./handle-command.ts";
import { createRepositoryHandler, observing } from "./handle-repository.ts";
import { createLine } from "./line.ts";
import { createMarketGate } from "./market-gate.ts";
import { withinBudget } from "./over-budget.ts";
import { type AccountBudgets, NO_ACCOUNT_BUDGETS } from "./ports/account-budgets.ts";
import type { Recorder } from "./ports/audit.ts";
import type { Clock } from "./ports/clock.ts";
import type { Estimator } from "./ports/estimates.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Ids } from "./ports/ids.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Performer, RepositoryPerformer } from "./ports/performer.ts";
import type { Engine, GitHubCredentialState, Health } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";
import { type EventPublisher, NO_SUBSCRIPTIONS, type SubscriptionMatcher } from "./ports/webhooks.ts";
import { createWebhookProcessor } from "./process-webhook.ts";
import { createMayHear } from "./publish-events.ts";
import { createQuotas } from "./quotas.ts";
import { createRepositoryNews } from "./repository-news.ts";
import { Workers } from "./workers.ts";

export interface EngineParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly performer: Performer;
  readonly repositoryPerformer: RepositoryPerformer;
  /** Whether pull requests that set a repository up are opened; missing: not. */
  readonly offers_set_up?: boolean;
  readonly githubClient: GitHubClient;
  /** Makes market offers; null or missing: no market. */
  readonly estimator?: Estimator | null;
  /** The default model; if missing, any model name is accepted. */
  readonly llm?: ModelDefaults;
  /** Quotas per account; missing: the defaults. */
  readonly quotas?: QuotaLimits | undefined;
  /** Publishes events to webhook subscribers; missing: there are none. */
  readonly publishing?: { readonly subscriptionMatcher: SubscriptionMatcher; readonly eventPublisher: EventPublisher };
  readonly log: Log;
  readonly record: Recorder;
  /** Missing: GitHub accepts the App's credentials. */
  readonly credentialState?: () => GitHubCredentialState;
  /** When comments and check runs are written; missing: as in a process that keeps running. */
  readonly pacing?: ShowPacing;
  /** False: the store holds some of a repository's jobs alone, so limits on their number cannot hold. Missing: true. */
  readonly knows_all_jobs?: boolean;
  /** What accounts may spend; missing: as much as they want. */
  readonly account_budgets?: AccountBudgets | undefined;
  /** Missing: no metrics. */
  readonly meter?: Meter;
  /** How long finished jobs and logs are kept; missing: the defaults. */
  readonly kept_days?: KeptDays;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random?: () => number;
}

const KNOWN: GitHubCredentialState = { usable: true, sentence: null };
const STARTING = "The server starts or stops.";
const UNWRITABLE = "The data folder cannot be written to; look at its disk and rights.";

const NO_METER: Meter = { effect: () => {}, delivery: () => {}, outcome: () => {} };

/** What most have. */
const USUAL = {
  meter: NO_METER,
  random: Math.random,
  credentialState: () => KNOWN,
  offers_set_up: false,
  kept_days: DEFAULT_KEPT_DAYS,
  knows_all_jobs: true,
};

function countOutcome(meter: Meter, job: Job, before: Job | null): void {
  const outcome = outcomeOf(job);
  if (outcome !== null && (before === null || outcome !== outcomeOf(before))) meter.outcome(outcome);
}

/** The parts, each with those that it calls. */
function connect(parts: EngineParts) {
  const { store, clock, ids, performer, repositoryPerformer, githubClient, log, record, estimator = null, llm } = parts;
  const usual = { ...USUAL, ...parts };
  const { meter, random, credentialState, offers_set_up, kept_days } = usual;
  const { pacing = createShowPacing(clock, (id) => githubClient.isShortOfWrites(id)) } = parts;
  const { subscriptionMatcher, eventPublisher } = parts.publishing ?? NO_SUBSCRIPTIONS;
  const { jobs, jobLog, repositories, accounts, blobs, usage } = store;
  const commitSubscribers = createCommitSubscribers({ jobs, signals: store.signals, clock, log });
  const { knows_all_jobs, account_budgets } = usual;
  const line = createLine({ store, clock, knows_all_jobs, account_budgets, handle: (...told) => handle(...told) });
  const quotas = createQuotas({ jobs, blobs, usage, clock, estimator, limits: parts.quotas });
  const commandHandler = new CommandHandler({
    ...{ jobs, jobLog, accounts, clock, subscriptionMatcher, quotas, line, record, log },
    committed: (stored, before) => {
      countOutcome(meter, stored.job, before);
      tellRepository(stored.job, before);
      accountBudgetNews.committed(stored.job, before);
    },
  });
  const handle: Handle = (id, command, extras) => commandHandler.handle(id, command, extras);
  const handleRepository = createRepositoryHandler({
    ...{ repositories: store.repositories, clock, offers_set_up, runs_schedules: usual.knows_all_jobs },
  });
  const observe = observing(handleRepository);
  const tellRepository = createRepositoryNews(handleRepository, log);
  const examine = createDoctor(store.repositories, githubClient, clock.now);
  const marketGate = createMarketGate(store.repositories, githubClient);
  const admit = createPermission(store, githubClient, observe, record);
  const mayHear = createMayHear({ accounts, admit, clock });
  const news = { account_budgets: account_budgets ?? NO_ACCOUNT_BUDGETS, spending: store.spending, eventPublisher };
  const accountBudgetNews = createAccountBudgetNews({ ...news, mayHear, clock, log });
  const creator = new JobCreator({ store, clock, ids, handle, marketGate, llm });
  const create = creator.create.bind(creator);
  const triggers = createTriggers({ jobs, repositories, usage, clock, handleRepository, create });
  const shared = { store, clock, githubClient, handle, handleRepository, line, log, meter, random, kept_days };
  const webhookProcessor = createWebhookProcessor({
    ...{ ...shared, ...triggers, admit, marketGate, offers_set_up },
    answers: createAnswers({ ...usual, examine, handleRepository }),
    estimate: estimator === null ? null : quotas.estimate,
    create: withinBudget(admit, record, (draft, by) => creator.create(draft, undefined, by)),
  });
  const performers = { performer, repositoryPerformer, pacing, eventPublisher };
  const automatic = { create, webhookProcessor, reads_by_itself: knows_all_jobs };
  const workers = new Workers({ ...shared, ...performers, ...automatic, admit });
  const asked = { observe, examine, admit, marketGate, ...triggers, accountBudgetChanged: line.accountChanged };
  return { asked, handle, creator, quotas, workers, commitSubscribers, credentialState };
}

export function createEngine(parts: EngineParts): Engine {
  const { asked, handle, creator, quotas, workers, commitSubscribers, credentialState } = connect(parts);
  const { store, clock } = parts;
  const { jobs } = store;
  let ready = false;

  return {
    ...asked,
    handle: (id, command, log) => handle(id, command, log === undefined ? {} : { log }),
    drawId: () => creator.drawId(),
    create: (draft, id, by) => creator.create(draft, id, by),
    estimate: quotas.estimate,
    keep: quotas.keep,
    settleDebts: workers.debts.settle,
    receive: (id, event) => store.inbox.record({ id, event, at: clock.now() }),
    ...{ waitFor: commitSubscribers.waitFor, follow: commitSubscribers.follow },
    pull: createPull({ jobs, handle, quotas }),
    enforceDeadlines: () => enforceDeadlines({ jobs, clock, handle }),
    health: () => healthOf(ready, store, credentialState),
    async start() {
      await workers.start();
      ready = true;
    },
    stop() {
      ready = false;
      return workers.stop();
    },
  };
}

async function healthOf(ready: boolean, store: Store, credentialState: () => GitHubCredentialState): Promise<Health> {
  if (!ready) return { ready, reason: STARTING };
  if (!(await store.writable())) return { ready: false, reason: UNWRITABLE };
  const { usable, sentence } = credentialState();
  return { ready: usable, reason: sentence };
}
