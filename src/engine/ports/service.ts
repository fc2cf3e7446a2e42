/** What HTTP, webhooks and schedules may ask of the engine. Types only. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Actor, Command, Draft } from "../../domain/job/command.ts";
import type { GitHubEvent } from "../../domain/job/github-event.ts";
import type { Job, JobId } from "../../domain/job/job.ts";
import type { Refusal } from "../../domain/job/refusal.ts";
import type { Admit } from "../command-permission.ts";
import type { Examine } from "../doctor.ts";
import type { MarketGate } from "../market-gate.ts";
import type { Quotas } from "../quotas.ts";
import type { AgentQuery } from "./agents.ts";
import type { StoredJob } from "./jobs.ts";
import type { ObserveRepository } from "./repositories.ts";
import type { FireTrigger, IssueTriggerSecret } from "./triggers.ts";

export type Handled =
  /** `changed`: false when the command had nothing to change. */
  | { readonly ok: true; readonly job: Job; readonly stored: StoredJob; readonly changed: boolean }
  | { readonly ok: false; readonly refusal: Refusal };

/** Whether GitHub accepts the App. */
export interface GitHubCredentialState {
  /** False: GitHub rejects the App's credentials, so nothing can be done there. */
  readonly usable: boolean;
  /** What is wrong and what to do; null when nothing is. */
  readonly sentence: string | null;
}

export interface Health {
  /** Recovery has finished, the store is writable, and GitHub accepts the App. */
  readonly ready: boolean;
  /** Why it is not ready, or what else is wrong, as a sentence. */
  readonly reason: string | null;
}

export interface Puller extends AgentQuery {
  readonly account: string;
  /** The owner of the key; for the audit log only. */
  readonly by?: Actor;
}

/** A refusal means that this account may not accept another job now. */
export type Pull = (by: Puller) => Promise<Handled | null>;

export interface Enforced {
  readonly released_holds: number;
  readonly missed_deadlines: number;
}

export interface JobService {
  /** `log`: all that the attempt has told; kept before the commit. */
  handle(id: JobId, command: Command, log?: readonly LogLine[]): Promise<Handled>;
  /** An unused job id. */
  drawId(): Promise<JobId>;
  /**
   * Creates a job with a free id, or with the given one: if a job was already created with it, returns that job, so
   * that callers can repeat the call after a crash. Throws when the id belongs to another job. `by`: for the audit log.
   */
  create(draft: Omit<Draft, "id">, id?: JobId, by?: Actor): Promise<Handled>;
  /** Whether jobs of this repository may be offered on the market; null: they may. Throws like {@link admit}. */
  readonly marketGate: MarketGate;
  /** Estimates a market job, within the account's quota. */
  readonly estimate: Quotas["estimate"];
  /** Stores an attachment, within the limits of account and server. */
  readonly keep: Quotas["keep"];
  /** Pays the account's debts after its wallet received money. */
  settleDebts(account: string): Promise<void>;
  /** What keeps jobs of a repository from running or merging; null: it is not visible. Throws like {@link admit}. */
  readonly examine: Examine;
  /** Keeps what was read of a repository. */
  readonly observe: ObserveRepository;
  /** Starts what the actions of a trigger ask for, once for each piece of news. */
  readonly fireTrigger: FireTrigger;
  readonly issueTriggerSecret: IssueTriggerSecret;
  /** The account of this person if they may use commands here, else null. Throws when GitHub does not answer. */
  readonly admit: Admit;
  /** Jobs of this account that wait for its budget begin where there is room now. */
  accountBudgetChanged(account: string): Promise<void>;
  /** Resolves when the delivery is on the disk; it is processed in the background. */
  receive(deliveryId: string, event: GitHubEvent): Promise<"new" | "duplicate">;
  /** Resolves at the commit or put-off effect that satisfies the predicate, or with null after the timeout. */
  waitFor(id: JobId, predicate: (stored: StoredJob) => boolean, timeout_ms: number): Promise<StoredJob | null>;
  /**
   * Calls back with the job as it is, and again after changes of it or its log, perhaps with the same; one call at a time.
   * The returned function ends that.
   */
  follow(id: JobId, tell: (stored: StoredJob) => void | Promise<void>): () => void;
  /** Holds the best market job for this agent; null when there is none. */
  readonly pull: Pull;
  /** Releases expired holds and fails attempts past their deadline, as the timers do. */
  enforceDeadlines(): Promise<Enforced>;
  health(): Promise<Health>;
}

/** The service together with its lifecycle. */
export interface Engine extends JobService {
  start(): Promise<void>;
  /** Lets work in progress finish. */
  stop(): Promise<void>;
}
