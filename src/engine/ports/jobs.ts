/** Stored jobs, commits, and the store that keeps and finds them. */

import type { Held } from "../../domain/job/budget.ts";
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { PendingEffect, WantedEffect } from "../../domain/job/effect.ts";
import type { HistoryRow } from "../../domain/job/history.ts";
import type { Job, JobId, Status } from "../../domain/job/job.ts";
import type { Place } from "../../domain/job/line.ts";
import type { JobOutcome } from "../../domain/job/outcome.ts";
import type { AccountUsage } from "../../domain/job/quotas.ts";
import type { SpendingRow } from "../../domain/job/spending.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";
import type { Booked } from "../../domain/usage/booked.ts";
import type { AgentQuery } from "./agents.ts";
import type { EffectStore } from "./aggregate.ts";
import type { Use } from "./usage.ts";

/** A history row with its number: 1, 2, 3 …, also when rows in between were dropped. */
export interface NumberedRow extends HistoryRow {
  readonly seq: number;
}

/** A stored job: one record, written in one atomic write. */
export interface StoredJob {
  readonly job: Job;
  /** Incremented by each commit, which must name the previous value. */
  readonly version: number;
  readonly history: readonly NumberedRow[];
  readonly postings: readonly (Posting & { readonly at: number })[];
  /** What its attempts have cost, each once. */
  readonly spending: readonly Booked[];
  readonly effects: readonly PendingEffect[];
  /** Runs so far, which numbers the log of the last one; 0: none yet. */
  readonly log_nth: number;
}

/** Something beside the job that a decision has seen: the places of a repository, the quotas of an account. */
export interface Guard {
  readonly key: string;
  readonly version: number;
}

/** A job that nobody else is offered until it is released or the process that claimed it has died. */
export interface Claim {
  readonly id: JobId;
  release(): Promise<void>;
}

/** Everything that one command changes. */
export interface Commit {
  readonly job: Job;
  /** 0: a new job, whose id must be free. */
  readonly expected_version: number;
  readonly at: number;
  readonly history: readonly HistoryRow[];
  readonly postings: readonly Posting[];
  /** What attempts have cost; replaces earlier rows of the same keys. Missing: nothing. */
  readonly spending?: readonly SpendingRow[];
  /** Added to the pending effects; replaces one with the same key under a new serial. */
  readonly effects: readonly WantedEffect[];
  /** The effect whose outcome this command reports; removed if its serial still matches. */
  readonly done: { readonly key: string; readonly serial: number } | null;
  /** What else the decision has seen. The commit is a conflict where one has moved, and moves all of them otherwise. */
  readonly guards?: readonly Guard[];
  /** Counted with the commit, at its time. */
  readonly uses?: readonly Use[];
}

export type CommitAnswer =
  | { readonly ok: true; readonly stored: StoredJob }
  /** Another commit came first, of this job or with one of its guards, or a new job's id is taken. */
  | { readonly ok: false; readonly why: "conflict" }
  /** The job's new pull request belongs to another job. */
  | { readonly ok: false; readonly why: "pull_request_taken" }
  /** A user's balance would become negative. */
  | { readonly ok: false; readonly why: "insufficient"; readonly account: LedgerAccount };

export interface JobFilter {
  readonly account?: string;
  /** Of any of these; instead of `account`. */
  readonly accounts?: readonly string[];
  /** `owner/name` in any case. */
  readonly repository?: string;
  readonly status?: Status;
  readonly outcome?: JobOutcome;
  readonly limit: number;
  /** From the previous page; opaque. Newest first. */
  readonly cursor?: string;
}

/** Numbers of jobs, maintained with the indexes, so that reading them is cheap. */
export interface JobCounts {
  /** As stored: an expired hold counts as held until its timer has fired. */
  readonly statuses: Readonly<Record<Status, number>>;
  /** Pending effects. */
  readonly pending: number;
  /** Pending effects whose last attempt failed. */
  readonly failing: number;
}

/** Times in milliseconds since the epoch; null: for ever. */
export interface Retention {
  /** Finished jobs that have not changed since then go. */
  readonly jobs_before: number | null;
  /** The logs of such jobs go. */
  readonly logs_before: number | null;
}

export interface Pruned {
  readonly jobs: number;
  readonly logs: number;
}

export interface JobStore extends EffectStore<JobId, StoredJob> {
  commit(commit: Commit): Promise<CommitAnswer>;
  /** To be read before the facts that they guard. */
  guards(keys: readonly string[]): Promise<readonly Guard[]>;
  balance(account: LedgerAccount): Promise<number>;
  /** The newest job that has or had this pull request; null when there is none. */
  ofPullRequest(repository: string, number: number): Promise<JobId | null>;
  ofIssue(repository: string, number: number): Promise<JobId | null>;
  /** The job that this comment requested. */
  ofComment(repository: string, comment_id: CommentId): Promise<JobId | null>;
  /**
   * The best queued market job for this agent: one not offered to it before, then one that matches its skills, then the
   * highest price, then the oldest. Null: there is none that nobody has claimed.
   */
  claim(to: AgentQuery): Promise<Claim | null>;
  list(filter: JobFilter): Promise<{ readonly jobs: readonly Job[]; readonly cursor: string | null }>;
  /** Jobs that are not final, or verified with a merge pending. For reconciliation. */
  open(): Promise<readonly JobId[]>;
  /** Those of one repository (`owner/name` in any case), oldest first. */
  openIn(repository: string): Promise<readonly Job[]>;
  /**
   * Who has or waits for a place that the repository's limits count. A commit that takes one guards the repository
   * (`engine/guards.ts`). `id`: GitHub's number of it, by which jobs count that still have another name of it.
   */
  placesIn(repository: string, id?: number): Promise<readonly Place[]>;
  /** What attempts under way of this account may cost, in all repositories; guarded by the account. */
  heldBy(account: string): Promise<readonly (Held & { readonly id: JobId })[]>;
  /** Names of the repositories in which a job waits for a place. */
  lines(): Promise<readonly string[]>;
  /** Jobs whose timer is due at this time, oldest first, at most `limit`. */
  due(now: number, limit: number): Promise<readonly JobId[]>;
  /** This account's current usage, for its quotas. */
  usageOf(account: string): Promise<AccountUsage>;
  /** Jobs for which this account owes money; null: any account. */
  owing(account: string | null): Promise<readonly JobId[]>;
  /**
   * Deletes what is older, `limit` records at most; both counts are 0 once nothing is left. Jobs of the market and jobs
   * with postings stay, since the ledger refers to them, and so do open jobs and jobs with pending effects.
   */
  prune(older: Retention, limit: number): Promise<Pruned>;
  /** How many such jobs and logs there are. */
  prunable(older: Retention): Promise<Pruned>;
  count(): Promise<number>;
  counts(): Promise<JobCounts>;
}
