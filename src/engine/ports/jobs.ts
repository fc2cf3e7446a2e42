/** Jobs as they are stored: records, commits, and the store that keeps and finds them. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { PendingEffect, WantedEffect } from "../../domain/job/effect.ts";
import type { HistoryRow } from "../../domain/job/history.ts";
import type { Job, JobId, Status } from "../../domain/job/job.ts";
import type { AccountUsage } from "../../domain/job/quotas.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";
import type { Looking } from "./agents.ts";

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
   * its, then the highest price, then the oldest. `except`: jobs that another request is claiming.
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
