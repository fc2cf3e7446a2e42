/**
 * The engine: the door with what hangs on it. Signals come in, commands are decided and committed, effects go out,
 * time wakes jobs, and what was lost on the way is found again at the start and every hour.
 */
import { accountNamed } from "../domain/job/account.ts";
import type { Actor, Draft } from "../domain/job/command.ts";
import { isOnGitHub, isPublishEvents } from "../domain/job/effect.ts";
import type { Job, JobId } from "../domain/job/job.ts";
import type { ModelDefaults } from "../domain/job/model-selection.ts";
import { outcomeOf } from "../domain/job/outcome.ts";
import type { QuotaLimits } from "../domain/job/quotas.ts";
import { refusal } from "../domain/job/refusal.ts";
import { createPull } from "./claim-work.ts";
import { createDebts } from "./collect-debts.ts";
import { createCommitSubscribers } from "./commit-subscribers.ts";
import { enforceDeadlines } from "./enforce-deadlines.ts";
import { createHandle } from "./handle-command.ts";
import { createInboxWorker } from "./inbox.ts";
import { createJobTimers } from "./job-timers.ts";
import { createMarketGate } from "./market-gate.ts";
import { createPermission } from "./permission.ts";
import type { Recorder } from "./ports/audit.ts";
import type { Clock } from "./ports/clock.ts";
import type { Estimator } from "./ports/estimates.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Ids } from "./ports/ids.ts";
import type { StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { Performer } from "./ports/performer.ts";
import type { RunLines } from "./ports/runs.ts";
import type { Engine, GitHubCredentialState, Handled, Health } from "./ports/service.ts";
import type { Store } from "./ports/store.ts";
import { type EventPublisher, NO_SUBSCRIPTIONS, type SubscriptionMatcher } from "./ports/webhooks.ts";
import { createWebhookProcessor } from "./process-webhook.ts";
import { createQuotas } from "./quotas.ts";
import { createReconciler } from "./reconcile.ts";
import { createEffectsRunner } from "./run-effects.ts";
import { createAttachmentSweeper } from "./sweep-attachments.ts";
import { unknownModel } from "./unknown-model.ts";

export interface EngineParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly performer: Performer;
  readonly githubClient: GitHubClient;
  /** Makes offers to the market; null or missing: there is none here. */
  readonly estimator?: Estimator | null;
  /** The model of jobs for which nobody names one; where it is missing, any name is taken. */
  readonly llm?: ModelDefaults;
  /** What one account may have and ask for at once; missing: the defaults. */
  readonly quotas?: QuotaLimits | undefined;
  /** Who hears of jobs outside, and how they are told; unless given, nobody listens. */
  readonly publishing?: { readonly subscriptionMatcher: SubscriptionMatcher; readonly eventPublisher: EventPublisher };
  readonly log: Log;
  readonly record: Recorder;
  /** Unless given, GitHub is taken to know us. */
  readonly standing?: () => GitHubCredentialState;
  /** What running jobs tell; where nobody can reach us, there is none. */
  readonly lines?: RunLines;
  /** False in a process that ends as soon as it can. */
  readonly patient?: boolean;
  /** Where nobody watches, nothing is counted. */
  readonly meter?: Meter;
  /** 0 ≤ n < 1; spreads retries. */
  readonly random?: () => number;
}

/** 36^8 ids: a second collision in a row does not happen by chance. */
const MOST_DRAWS = 5;

const NO_LINES: RunLines = {
  add: () => 0,
  viewed: (stored) => stored,
  committed: () => {},
  follow: () => () => {},
};

const KNOWN: GitHubCredentialState = { usable: true, sentence: null };
const STARTING = "The server starts or stops.";
const UNWRITABLE = "The data folder cannot be written to; look at its disk and rights.";

const NO_METER: Meter = { effect: () => {}, delivery: () => {}, outcome: () => {} };

export function createEngine(parts: EngineParts): Engine {
  const { store, clock, ids, performer, githubClient, log, record, estimator = null, llm } = parts;
  const { meter = NO_METER, random = Math.random, lines = NO_LINES, patient = true, standing = () => KNOWN } = parts;
  const { subscriptionMatcher, eventPublisher } = parts.publishing ?? NO_SUBSCRIPTIONS;
  const commitSubscribers = createCommitSubscribers(store.jobs, clock);
  let ready = false;

  const committed = (stored: StoredJob, before: Job | null): void => {
    parcels.committed(before, stored.job);
    const outcome = outcomeOf(stored.job);
    if (outcome !== null && (before === null || outcome !== outcomeOf(before))) meter.outcome(outcome);
    lines.committed(stored);
    commitSubscribers.committed(stored);
    debts.committed(stored);
    jobTimers.committed(stored.job);
    if (stored.effects.some(({ effect }) => isPublishEvents(effect))) announcements.kick(stored.job);
    if (stored.effects.some(({ effect }) => isOnGitHub(effect))) effects.kick(stored.job);
  };
  const { jobs, parcels: attachments, usage } = store;
  const quotas = createQuotas({ jobs, parcels: attachments, usage, clock, estimator, limits: parts.quotas });
  const handle = createHandle({
    jobs: store.jobs,
    accounts: store.accounts,
    clock,
    subscriptionMatcher,
    lines,
    quotas,
    patient,
    committed,
    record,
    log,
  });
  const shared = { store, clock, handle, log, meter, random };
  const effects = createEffectsRunner({ ...shared, takes: isOnGitHub, performer });
  const announcements = createEffectsRunner({ ...shared, takes: isPublishEvents, performer: eventPublisher });
  const parcels = createAttachmentSweeper({ parcels: store.parcels, jobs: store.jobs, clock, log });
  const debts = createDebts({ jobs: store.jobs, handle, log });
  const pull = createPull({ jobs: store.jobs, handle, quotas });
  const jobTimers = createJobTimers({ jobs: store.jobs, clock, handle, log });

  const marketGate = createMarketGate(store.repositories, githubClient);

  const drawId = async (): Promise<JobId> => {
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const id = ids.jobId();
      if ((await store.jobs.load(id)) === null) return id;
    }
    throw new Error("Could not draw a free job id");
  };

  /** The job that was made under this id before; null: there is none. */
  const made = async (draft: Omit<Draft, "id">, id: JobId): Promise<Handled | null> => {
    const stored = await store.jobs.load(id);
    if (stored === null) return null;
    const { job } = stored;
    const same = job.account === accountNamed(draft.account) && job.task === draft.task;
    if (same) return { ok: true, job, stored, changed: false };
    throw new Error(`Job ${job.id} is not the one that was to be made under this id`);
  };

  const create = async (draft: Omit<Draft, "id">, noted?: JobId, by?: Actor): Promise<Handled> => {
    const before = noted === undefined ? null : await made(draft, noted);
    if (before !== null) return before;
    const closed = draft.runner === "market" ? await marketGate(draft.repository) : null;
    if (closed !== null) return { ok: false, refusal: closed };
    const unknown = await unknownModel({ repositories: store.repositories, now: clock.now, llm }, draft);
    if (unknown !== null) return { ok: false, refusal: refusal("unknown_model", unknown) };
    const id = noted ?? (await drawId());
    const whose = by === undefined ? {} : { by };
    const created = await handle(id, { type: "create", draft: { ...draft, id }, ...whose });
    // two orders of one id may both have found nothing
    return created.ok || noted === undefined ? created : ((await made(draft, noted)) ?? created);
  };

  const admit = createPermission(store, githubClient, record);
  const inbox = createInboxWorker({
    inbox: store.inbox,
    webhookProcessor: createWebhookProcessor({
      ...{ admit, marketGate, store, githubClient, handle, clock, log },
      estimate: estimator === null ? null : quotas.estimate,
      create: (draft, by) => create(draft, undefined, by),
    }),
    clock,
    log,
    meter,
  });
  const health = async (): Promise<Health> => {
    if (!ready) return { ready, reason: STARTING };
    if (!(await store.writable())) return { ready: false, reason: UNWRITABLE };
    const { usable, sentence } = standing();
    return { ready: usable, reason: sentence };
  };

  const reconciler = createReconciler({ store, githubClient, clock, handle, log });

  return {
    handle: (id, command, log) => handle(id, command, log === undefined ? {} : { log }),
    drawId,
    create,
    marketGate,
    estimate: quotas.estimate,
    keep: quotas.keep,
    settleDebts: debts.settle,
    admit,
    receive: inbox.receive,
    waitFor: commitSubscribers.waitFor,
    follow: commitSubscribers.follow,
    pull,
    enforceDeadlines: () => enforceDeadlines({ jobs: store.jobs, clock, handle }),
    health,
    async start() {
      for (const id of await store.jobs.withEffects()) {
        const stored = await store.jobs.load(id);
        if (stored === null) continue;
        announcements.recover(stored);
        effects.recover(stored);
      }
      await inbox.recover();
      await parcels.start();
      await jobTimers.start();
      await debts.settle(null);
      reconciler.start();
      ready = true;
    },
    async stop() {
      ready = false;
      reconciler.stop();
      jobTimers.stop();
      await inbox.stop();
      await effects.stop();
      await parcels.stop();
      await debts.stop();
      await announcements.stop();
    },
  };
}
