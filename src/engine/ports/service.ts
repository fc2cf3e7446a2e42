/** What the API, webhooks and timers may ask of the engine. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Actor, Command, Draft } from "../../domain/job/command.ts";
import type { GitHubEvent } from "../../domain/job/github-event.ts";
import type { Job, JobId } from "../../domain/job/job.ts";
import type { Refusal } from "../../domain/job/refusal.ts";
import type { MarketGate } from "../market-gate.ts";
import type { Admit } from "../permission.ts";
import type { Quotas } from "../quotas.ts";
import type { Looking } from "./agents.ts";
import type { StoredJob } from "./jobs.ts";

export type Handled =
  /** `changed`: false where the command had nothing to change. */
  | { readonly ok: true; readonly job: Job; readonly stored: StoredJob; readonly changed: boolean }
  | { readonly ok: false; readonly refusal: Refusal };

/** Whether GitHub accepts the App's credentials. */
export interface GitHubCredentialState {
  /** False: GitHub rejects them, so nothing can be done there. */
  readonly usable: boolean;
  /** What is wrong, and what to do; null: nothing. */
  readonly sentence: string | null;
}

export interface Health {
  /** Recovery has finished, the store is writable, and GitHub accepts the App's credentials. */
  readonly ready: boolean;
  /** Why it is not, or what else is wrong, in a sentence. */
  readonly reason: string | null;
}

export interface Puller extends Looking {
  readonly account: string;
  /** Whose key it was; for the audit log alone. */
  readonly by?: Actor;
}

/** A refusal: this account may not accept another job just now. */
export type Pull = (by: Puller) => Promise<Handled | null>;

export interface Enforced {
  readonly released_holds: number;
  readonly missed_deadlines: number;
}

export interface JobService {
  /** `log`: takes the place of the kept one in the same commit. */
  handle(id: JobId, command: Command, log?: readonly LogLine[]): Promise<Handled>;
  /** An id that no job has. */
  drawId(): Promise<JobId>;
  /**
   * Under a free id; or under this one, where a job that was made so before is answered as it is now: whoever noted the
   * id may ask again after a crash. Throws when the id has become somebody else's. `by`: who asked, for the audit log.
   */
  create(draft: Omit<Draft, "id">, id?: JobId, by?: Actor): Promise<Handled>;
  /** Whether jobs of this repository may be given to the market; null: they may. Throws as {@link admit} does. */
  readonly marketGate: MarketGate;
  /** What a job of the market might cost, as far as the account may still ask. */
  readonly estimate: Quotas["estimate"];
  /** Keeps what travels beside a job, as far as the account and the server have room. */
  readonly keep: Quotas["keep"];
  /** This account's wallet has got money from outside: what it owes is paid of it. */
  settleDebts(account: string): Promise<void>;
  /** The account of this person on GitHub, when they may command here; else null. Throws when GitHub cannot be asked. */
  readonly admit: Admit;
  /** Resolves when the delivery is on disk; it is worked on in the background. */
  receive(deliveryId: string, event: GitHubEvent): Promise<"new" | "duplicate">;
  /** Resolves at the commit that satisfies the predicate, or with null when the time is over. */
  waitFor(id: JobId, predicate: (stored: StoredJob) => boolean, timeout_ms: number): Promise<StoredJob | null>;
  /** Calls back after every commit of this job from now on; the answer unsubscribes. */
  follow(id: JobId, tell: (stored: StoredJob) => void): () => void;
  /** The best job of the market for this agent, held by it; null: there is none. */
  readonly pull: Pull;
  /** Releases holds and fails tries whose time is over, as the App's own clock does. */
  enforceDeadlines(): Promise<Enforced>;
  health(): Promise<Health>;
}

/** The service together with its life cycle, for the composition. */
export interface Engine extends JobService {
  start(): Promise<void>;
  /** Lets what is under way finish. */
  stop(): Promise<void>;
}
