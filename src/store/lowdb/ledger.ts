/**
 * Account balances and statements over jobs and wallet. Kept in memory; the postings in the files are authoritative.
 * Old statement rows are dropped, balances never.
 */

import type { LedgerAccount, Posting } from "../../domain/market/ledger.ts";
import type { LedgerPage, LedgerRow } from "../../engine/ports/wallet.ts";
import { Balances } from "./balances.ts";

/** Newest rows per account; about 2 MB of memory for a full account. */
export const MAX_LEDGER_ROWS = 10_000;

const isUser = (account: LedgerAccount): boolean => account.startsWith("user:");

/** By time; rows of the same moment keep an order of their own. */
const byAge = (a: Pick<LedgerRow, "at" | "id">, b: Pick<LedgerRow, "at" | "id">): number =>
  a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const cursorOf = ({ at, id }: LedgerRow): string => Buffer.from(`${at} ${id}`).toString("base64url");

function parseCursor(cursor: string): Pick<LedgerRow, "at" | "id"> | null {
  const [, at, id] = /^(\d+) (.+)$/.exec(Buffer.from(cursor, "base64url").toString("utf8")) ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}

/** Rows of one account. Loaded unordered and sorted on first access. */
class Rows {
  #rows: LedgerRow[] = [];
  #sorted = true;

  add(row: LedgerRow): void {
    const last = this.#rows.at(-1);
    if (last !== undefined && byAge(last, row) > 0) this.#sorted = false;
    this.#rows.push(row);
    if (this.#rows.length >= 2 * MAX_LEDGER_ROWS) this.#rows = this.#inOrder().slice(-MAX_LEDGER_ROWS);
  }

  page(limit: number, before: Pick<LedgerRow, "at" | "id"> | null): LedgerPage {
    const kept = this.#inOrder().slice(-MAX_LEDGER_ROWS);
    const end = before === null ? kept.length : kept.findIndex((row) => byAge(row, before) >= 0);
    const from = Math.max(0, (end < 0 ? kept.length : end) - limit);
    const rows = kept.slice(from, end < 0 ? kept.length : end).reverse();
    const last = rows.at(-1);
    return { rows, cursor: from === 0 || last === undefined ? null : cursorOf(last) };
  }

  #inOrder(): LedgerRow[] {
    if (!this.#sorted) this.#rows.sort(byAge);
    this.#sorted = true;
    return this.#rows;
  }
}

/** Postings that belong together, and their source. */
export interface Movement extends Pick<LedgerRow, "job" | "note" | "at"> {
  readonly postings: readonly Posting[];
  /** The id of the posting at this position; the same after every start. */
  readonly idOf: (position: number) => string;
}

export class LedgerIndex {
  readonly balances = new Balances();
  readonly #ledgers = new Map<LedgerAccount, Rows>();
  /** Number of jobs for which each user was paid. */
  readonly #payouts = new Map<LedgerAccount, number>();

  add({ postings, idOf, job, note, at }: Movement): void {
    this.balances.add(postings);
    postings.forEach(({ account, cents, reason }, position) => {
      if (!isUser(account)) return;
      this.#rowsOf(account).add({ id: idOf(position), cents, reason, note, job, at });
      if (reason === "payout") this.#payouts.set(account, this.payouts(account) + 1);
    });
  }

  payouts(account: LedgerAccount): number {
    return this.#payouts.get(account) ?? 0;
  }

  /** An unknown cursor yields an empty page. */
  page(account: LedgerAccount, limit: number, cursor: string | undefined): LedgerPage {
    const before = cursor === undefined ? null : parseCursor(cursor);
    const rows = this.#ledgers.get(account);
    if (rows === undefined || (cursor !== undefined && before === null)) return { rows: [], cursor: null };
    return rows.page(limit, before);
  }

  #rowsOf(account: LedgerAccount): Rows {
    let rows = this.#ledgers.get(account);
    if (rows === undefined) {
      rows = new Rows();
      this.#ledgers.set(account, rows);
    }
    return rows;
  }
}
