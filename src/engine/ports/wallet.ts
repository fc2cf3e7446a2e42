/** Money outside of jobs, balances and statements. */

import type { JobId } from "../../domain/job/job.ts";
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";

/** A movement of money that belongs to no job. */
export interface WalletEntry {
  /** A second entry with the same id has no effect. */
  readonly id: string;
  readonly at: number;
  readonly postings: readonly Posting[];
  /** Explains the entry in the statement; null when the kind says enough. */
  readonly note: string | null;
}

/** A line of an account's statement. */
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

/** Money in and out of the system. Jobs move money in their own commits; balances and statements cover both. */
export interface Wallet {
  /** Resolves when stored on the disk. */
  post(entry: WalletEntry): Promise<"posted" | "known">;
  balance(account: LedgerAccount): Promise<number>;
  /** Newest first. `cursor`: from the previous page. */
  ledger(account: LedgerAccount, page: { readonly limit: number; readonly cursor?: string }): Promise<LedgerPage>;
}
