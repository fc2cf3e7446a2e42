/** What the postings of all jobs leave on each account. Kept in memory; the postings in the job files are the truth. */
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";

export class Balances {
  readonly #cents = new Map<LedgerAccount, number>();

  of(account: LedgerAccount): number {
    return this.#cents.get(account) ?? 0;
  }

  add(postings: Iterable<Posting>): void {
    for (const { account, cents } of postings) {
      const sum = this.of(account) + cents;
      // Nearly every escrow is empty again: they must not pile up.
      if (sum === 0) this.#cents.delete(account);
      else this.#cents.set(account, sum);
    }
  }

  /** The first user whom these postings would leave below zero; null when they can be made. */
  overdrawnBy(postings: readonly Posting[]): LedgerAccount | null {
    const change = new Map<LedgerAccount, number>();
    for (const { account, cents } of postings) change.set(account, (change.get(account) ?? 0) + cents);
    for (const [account, cents] of change) {
      if (account.startsWith("user:") && cents < 0 && this.of(account) + cents < 0) return account;
    }
    return null;
  }
}
