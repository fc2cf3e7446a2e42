/**
 * Account balances, summed from the postings of all jobs. Kept in memory; the postings in the job files are
 * authoritative.
 */
import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";

export class Balances {
  readonly #cents = new Map<LedgerAccount, number>();

  of(account: LedgerAccount): number {
    return this.#cents.get(account) ?? 0;
  }

  add(postings: Iterable<Posting>): void {
    for (const { account, cents } of postings) {
      const sum = this.of(account) + cents;
      // Removes empty accounts: nearly every escrow is empty again.
      if (sum === 0) this.#cents.delete(account);
      else this.#cents.set(account, sum);
    }
  }

  /** The first user whose balance these postings would make negative; null when there is none. */
  overdrawnBy(postings: readonly Posting[]): LedgerAccount | null {
    const change = new Map<LedgerAccount, number>();
    for (const { account, cents } of postings) change.set(account, (change.get(account) ?? 0) + cents);
    for (const [account, cents] of change) {
      if (account.startsWith("user:") && cents < 0 && this.of(account) + cents < 0) return account;
    }
    return null;
  }
}
