/** Money that belongs to no job, balances and statements. */

import type { JobId } from "../../domain/job/job.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";

/** A movement of money that belongs to no job. */
export interface WalletEntry {
  /** A second one of the same id changes nothing. */
  readonly id: string;
  readonly at: number;
  readonly postings: readonly Posting[];
  /** In words, for who reads the ledger; null: its kind says it. */
  readonly note: string | null;
}

/** One line of an account's ledger. */
export interface LedgerRow {
  readonly id: string;
  readonly cents: number;
  readonly reason: Posting["reason"];
  readonly note: string | null;
  readonly job: JobId | null;
  readonly at: number;
}

export interface LedgerPage {
  readonly rows: readonly LedgerRow[];
  readonly cursor: string | null;
}

/** Money of no job. Jobs move theirs in their own commits; balances and statements count both. */
export interface Wallet {
  /** Resolves when it is on disk. */
  post(entry: WalletEntry): Promise<"posted" | "known">;
  balance(account: LedgerAccount): Promise<number>;
  /** Newest first. `cursor`: as answered before. */
  ledger(account: LedgerAccount, page: { readonly limit: number; readonly cursor?: string }): Promise<LedgerPage>;
}
