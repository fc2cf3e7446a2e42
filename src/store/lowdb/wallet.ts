/**
 * Money movements outside of jobs, in a journal: one line each, on the disk before it counts. Ids are kept forever, so
 * that no payment is booked twice; balances are shared with the jobs.
 */
import * as z from "zod";
import { type LedgerAccount, mayOverdraw, POSTING_REASONS } from "../../domain/market/ledger.ts";
import type { LedgerPage, Wallet, WalletEntry } from "../../engine/ports/wallet.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import type { Journal } from "./journal.ts";
import { openJournal } from "./journal-lines.ts";
import type { LedgerIndex } from "./ledger.ts";

const FILE = "wallet.jsonl";

/** Maximum rows per page. */
const MAX_PAGE = 200;

const isAccount = (text: string): text is LedgerAccount =>
  text === "fees" || text === "outside" || text.startsWith("user:") || text.startsWith("escrow:");

const entrySchema = z.object({
  id: z.string(),
  at: z.number(),
  note: z.string().nullable(),
  postings: z.array(
    z.object({
      account: z.string().refine(isAccount),
      cents: z.number().int(),
      reason: z.enum(POSTING_REASONS),
    }),
  ),
});

export class JournalWallet implements Wallet {
  readonly #books: LedgerIndex;
  readonly #journal: Journal;
  readonly #known = new Set<string>();
  /** Writes in progress. */
  readonly #posting = new Map<string, Promise<void>>();

  constructor(folder: Folder, books: LedgerIndex) {
    this.#books = books;
    const { entries, journal } = openJournal(folder, FILE, (text) => entrySchema.parse(readRecord("wallet", text)));
    this.#journal = journal;
    for (const entry of entries) this.#book(entry);
  }

  async post(entry: WalletEntry): Promise<"posted" | "known"> {
    const before = this.#posting.get(entry.id);
    if (before !== undefined) {
      await before;
      return "known";
    }
    if (this.#known.has(entry.id)) return "known";
    if (
      entry.postings.some(
        (posting) => posting.account.startsWith("user:") && posting.cents < 0 && !mayOverdraw(posting),
      )
    )
      throw new Error("A wallet entry can only give to a user; what is taken is taken by a job.");
    const posting = this.#write(entry).finally(() => this.#posting.delete(entry.id));
    this.#posting.set(entry.id, posting);
    await posting;
    return "posted";
  }

  async balance(account: LedgerAccount): Promise<number> {
    return this.#books.balances.of(account);
  }

  async ledger(
    account: LedgerAccount,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<LedgerPage> {
    return this.#books.page(account, Math.max(1, Math.min(page.limit, MAX_PAGE)), page.cursor);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#posting.values());
    await this.#journal.close();
  }

  /** Money must not be spent before it is on the disk: a job's commit could outlive the movement. */
  async #write(entry: WalletEntry): Promise<void> {
    this.#journal.add(writeRecord("wallet", entrySchema.parse(entry)));
    await this.#journal.flushed();
    this.#book(entry);
  }

  #book({ id, at, note, postings }: WalletEntry): void {
    this.#known.add(id);
    this.#books.add({ postings, at, note, job: null, idOf: (position) => `${id}.${position}` });
  }
}
