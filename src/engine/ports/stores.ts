/**
 * What the engine needs of the rooms around it. Each is implemented elsewhere and handed in by `compose.ts`.
 */

import type { LogLine } from "../../contracts/log-line.ts";
import type { RepositorySettings } from "../../contracts/settings.ts";
import type { Command } from "../../domain/job/command.ts";
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { GitHubEffect, PendingEffect, WantedEffect } from "../../domain/job/effect.ts";
import type { GitHubEvent } from "../../domain/job/github-event.ts";
import type { HistoryRow, Job, JobId, Repository, Status } from "../../domain/job/job.ts";
import type { JobOutcome } from "../../domain/job/outcome.ts";
import type { AccountUsage } from "../../domain/job/quotas.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";
import type { AgentStore, AttachmentStore, Looking, QuoteStore, Wallet } from "./market.ts";
import type { AccountStore, AuditLog, GitHubPerson, KeyStore } from "./people.ts";
import type { OutgoingStore, SubscriptionStore } from "./webhooks.ts";

export type { AttachmentStore, Estimate, EstimateRequest, Estimator } from "./market.ts";
export * from "./people.ts";

/** Time, injected, in milliseconds since the epoch. */
export interface Clock {
  /** Never goes back, so that what it says may be subtracted and waited for. */
  now(): number;
  /** What this machine's clock says, for what others hold against theirs; unless given, the same. */
  readonly wall?: () => number;
  /** Calls back once, at or soon after `at`; the answer cancels it. Does not keep the process alive. */
  at(at: number, callback: () => void): () => void;
}

/** A row of a job's history with its number: 1, 2, 3 …, also where rows between are kept no longer. */
export interface NumberedRow extends HistoryRow {
  readonly seq: number;
}

/** A job as it is stored: one record, written whole in one atomic write. */
export interface StoredJob {
  readonly job: Job;
  /** Counts the commits; the next one must name it. */
  readonly version: number;
  readonly history: readonly NumberedRow[];
  readonly postings: readonly (Posting & { readonly at: number })[];
  readonly effects: readonly PendingEffect[];
  /** The agent's log of the last try, bounded; empty until it is known. */
  readonly log: readonly LogLine[];
  /** Counts the logs that the job has had, one a try; 0: none yet. */
  readonly log_nth: number;
}

/** One commit: everything that one command changes. */
export interface Commit {
  readonly job: Job;
  /** 0: the job is new and its id must be free. */
  readonly expected_version: number;
  readonly at: number;
  readonly history: readonly HistoryRow[];
  readonly postings: readonly Posting[];
  /** Added to the pending ones; one of the same key replaces it under a new serial. */
  readonly effects: readonly WantedEffect[];
  /** The effect whose outcome this command reports: removed if still of this serial. */
  readonly done: { readonly key: string; readonly serial: number } | null;
  /** When given, replaces the kept log. */
  readonly log?: readonly LogLine[];
}

export type CommitAnswer =
  | { readonly ok: true; readonly stored: StoredJob }
  /** Another commit came first, or a new job's id is taken. */
  | { readonly ok: false; readonly why: "conflict" }
  /** The pull request that the job would have from now on is another job's. */
  | { readonly ok: false; readonly why: "pull_request_taken" }
  /** A user's balance would go below zero. */
  | { readonly ok: false; readonly why: "insufficient"; readonly account: LedgerAccount };

export interface JobFilter {
  readonly account?: string;
  /** `owner/name`, any case. */
  readonly repository?: string;
  readonly status?: Status;
  readonly limit: number;
  /** As answered before; opaque. Newest first. */
  readonly cursor?: string;
}

/** How many there are; kept with the indexes, so that asking costs nothing however many jobs there are. */
export interface JobCounts {
  /** As stored: a hold that is over counts as held until somebody has tidied it up. */
  readonly statuses: Readonly<Record<Status, number>>;
  /** Effects that wait to be performed. */
  readonly pending: number;
  /** Those among them whose last try failed. */
  readonly failing: number;
}

export interface JobStore {
  load(id: JobId): Promise<StoredJob | null>;
  commit(commit: Commit): Promise<CommitAnswer>;
  /** Counts another failed try of a pending effect and says when the next may be; false when it was replaced meanwhile. */
  postpone(id: JobId, effect: { readonly key: string; readonly serial: number }, not_before: number): Promise<boolean>;
  /** Removes a pending effect that has no outcome to report; false when it was replaced meanwhile. */
  settle(id: JobId, effect: { readonly key: string; readonly serial: number }): Promise<boolean>;
  balance(account: LedgerAccount): Promise<number>;
  /** The newest job that has or had this pull request; of this issue; null when there is none. */
  ofPullRequest(repository: string, number: number): Promise<JobId | null>;
  ofIssue(repository: string, number: number): Promise<JobId | null>;
  /** The job that this comment asked for. */
  ofComment(repository: string, comment_id: CommentId): Promise<JobId | null>;
  /**
   * The best of the market's queued jobs for this agent: not offered to it before, then one that asks for a skill of
   * its, then the highest price, then the oldest. `except`: on which somebody else has his hand just now.
   */
  offer(to: Looking, except: ReadonlySet<JobId>): Promise<JobId | null>;
  list(filter: JobFilter): Promise<{ readonly jobs: readonly Job[]; readonly cursor: string | null }>;
  /** Jobs that are not settled: not final, or verified with a merge still to come. For reconcile. */
  open(): Promise<readonly JobId[]>;
  /** Jobs with pending effects, for the start. */
  withEffects(): Promise<readonly JobId[]>;
  /** Jobs whose `wakeAt` is at or before this time, oldest first, at most `limit`. */
  due(now: number, limit: number): Promise<readonly JobId[]>;
  /** The earliest `wakeAt` of all jobs; null when none waits for time. */
  nextWake(): Promise<number | null>;
  /** What this account has under way now, for its quotas. */
  tallyOf(account: string): Promise<AccountUsage>;
  /** Jobs for whose work this account owes; null: any account. */
  owing(account: string | null): Promise<readonly JobId[]>;
  count(): Promise<number>;
  tally(): Promise<JobCounts>;
}

/** What is known of a repository without asking GitHub. */
export interface ObservedRepository {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
  readonly installation_id: number;
  /** Null: must be read before use. */
  readonly base: {
    readonly branch: string;
    readonly head_sha: string;
    readonly tree_sha: string;
    readonly has_workflow: boolean;
  } | null;
  /** The last good settings; null: none were ever read. */
  readonly settings: RepositorySettings | null;
  readonly settings_problem: string | null;
}

export interface RepositoryStore {
  get(owner: string, name: string): Promise<ObservedRepository | null>;
  /** By GitHub's id, which outlives a new name. */
  byId(id: number): Promise<ObservedRepository | null>;
  put(repository: ObservedRepository): Promise<void>;
  ofInstallation(installation_id: number): Promise<readonly ObservedRepository[]>;
  remove(owner: string, name: string): Promise<void>;
}

/** A delivery that is recorded and not done yet. */
export interface PendingDelivery {
  readonly id: string;
  readonly signal: GitHubEvent;
  readonly at: number;
}

/** Webhook deliveries: durable before they are answered, done only after they have been acted on. */
export interface Inbox {
  /** Resolves when the record is on disk. `duplicate`: recorded before, whatever became of it. */
  record(delivery: PendingDelivery): Promise<"new" | "duplicate">;
  done(id: string): Promise<void>;
  pending(): Promise<readonly PendingDelivery[]>;
  /** Recorded or done before? Those deliveries need not be sent again. */
  knows(id: string): boolean;
  /** What is recorded and not done, and since when the oldest of it waits; null: nothing does. */
  backlog(): { readonly count: number; readonly oldest_at: number | null };
}

/** An answer as it was given, to be given again. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly body: Readonly<Record<string, unknown>> | readonly unknown[] | null;
}

/** A request that must not be worked on twice. */
export interface IdempotentRequest {
  /** Whose request of which route and key this is: 64 hexadecimal digits. */
  readonly scope: string;
  /** What was asked; another one under the same scope is another request. */
  readonly fingerprint: string;
  /** Under which its work is found again by whoever has to go on with it. */
  readonly work_id: JobId;
  readonly at: number;
}

export type Begun =
  | { readonly kind: "new" }
  | { readonly kind: "same"; readonly answer: StoredResponse }
  /** Begun before and neither finished nor released, maybe by a process that is gone; `work_id` as it was recorded then. */
  | { readonly kind: "running"; readonly work_id: JobId }
  | { readonly kind: "other_body" };

/** Requests with an `Idempotency-Key` and what they were answered, for a day and up to a number; the oldest go first. */
export interface IdempotencyStore {
  /** Resolves with `new` when the record is on disk. */
  begin(request: IdempotentRequest): Promise<Begun>;
  /** Resolves when the answer is on disk. */
  finish(scope: string, answer: StoredResponse): Promise<void>;
  /** The scope is free again. */
  release(scope: string): Promise<void>;
}

export interface Store {
  readonly jobs: JobStore;
  readonly keys: KeyStore;
  readonly accounts: AccountStore;
  readonly repositories: RepositoryStore;
  readonly inbox: Inbox;
  readonly idempotency: IdempotencyStore;
  readonly wallet: Wallet;
  readonly agents: AgentStore;
  readonly quotes: QuoteStore;
  readonly parcels: AttachmentStore;
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly audit: AuditLog;
  /** False once a write has failed, until one succeeds; whoever asks meanwhile has it tried. */
  writable(): Promise<boolean>;
  /** Flushes what is kept in memory and lets go of the folder or the connections. */
  close(): Promise<void>;
}

/** How one try of an effect ended. */
export type Attempt =
  | {
      readonly ended: "done";
      readonly command?: Command;
      readonly log?: readonly LogLine[];
      /** What was learned of the repository on the way. */
      readonly repository?: ObservedRepository;
    }
  /** Worth another try; `after_ms` as GitHub asked for (`retry-after`). */
  | { readonly ended: "later"; readonly reason: string; readonly after_ms?: number };

/** Performs effects on GitHub. Calls, no decisions. `again`: an earlier try may have done it already, so look before acting. */
export interface Performer {
  perform(effect: GitHubEffect, job: Job, again: boolean): Promise<Attempt>;
}

export type Permission = "admin" | "write" | "read" | "none";

/** What somebody may do somewhere, and who has that name now; null: nobody. */
export interface Permitted {
  readonly permission: Permission;
  readonly person: GitHubPerson | null;
}

/** Direct questions and answers on GitHub that belong to no job. Throws when GitHub cannot be asked. */
export interface GitHubClient {
  permission(repository: Repository, login: string): Promise<Permitted>;
  /** How the person of this number is called now; null: there is none. */
  loginOf(repository: Repository, id: number): Promise<string | null>;
  /** What its default branch and the settings there are now; null when there is none. `known` has the last good settings. */
  repository(repository: Repository, known: ObservedRepository | null): Promise<ObservedRepository | null>;
  /** The same where a push may have changed the settings: its commit says what is wrong with them, or that they are mended. */
  settingsPushed(repository: Repository, known: ObservedRepository | null): Promise<ObservedRepository | null>;
  /** Where a pull request comes from; for `/job` on one that is not ours. */
  pullRequest(
    repository: Repository,
    number: number,
  ): Promise<{ readonly head_branch: string; readonly head_sha: string; readonly from_fork: boolean }>;
  /** `confused` is for those who may not command: said only while there is budget to spare. */
  react(repository: Repository, comment_id: CommentId, content: "eyes" | "confused"): Promise<void>;
  /** Answers once: a second call with the same `marker` on the same issue changes nothing when `again`. */
  reply(repository: Repository, issue: number, marker: string, body: string, again: boolean): Promise<void>;
  /** The installation of a repository, or null where the App is not installed. */
  installation(owner: string, name: string): Promise<{ readonly id: number } | null>;
  /** In how many milliseconds a job's first push could begin: GitHub's limits may leave no room before. */
  pushWait(installation_id: number): number;
  /** What we may do in this installation has changed: what was kept to sign in there is dropped. */
  forgetAccess(installation_id: number): void;
  /** Deliveries of the last three days that failed, newest first, and a way to have one sent again. */
  failedDeliveries(): Promise<readonly { readonly id: number; readonly guid: string }[]>;
  redeliver(id: number): Promise<void>;
}

/** Counts the engine's doings for whoever watches the server. Must cost next to nothing and never throw. */
export interface Meter {
  /** How a try of an effect ended. */
  effect(ended: "done" | "later" | "abandoned"): void;
  /** A delivery is over, so long after it was recorded. */
  delivery(ended: "done" | "abandoned", ms: number): void;
  /** A job has come to this. */
  outcome(outcome: JobOutcome): void;
}

/** What may still be asked of GitHub within one of its windows. */
export interface BudgetLeft {
  readonly window: string;
  readonly left: number;
  readonly limit: number;
}

/** Ids, injected. */
export interface Ids {
  jobId(): JobId;
}

/** A structured log. Never given a payload, a token or a body. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** When time alone must wake this job next; null: never. Indexed by the store. */
export { nextTimerAt } from "../../domain/job/next-timer.ts";
