/**
 * Maps people on GitHub, by number, to accounts. An append-only journal, fully in memory; the last line of a number
 * wins, since names change.
 */
import * as z from "zod";
import { accountApart, accountOf } from "../../domain/job/account.ts";
import type { AccountHolder, AccountStore, GitHubPerson } from "../../engine/ports/accounts.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import type { Journal } from "./journal.ts";
import { openJournal } from "./journal-lines.ts";

const FILE = "accounts.jsonl";

const holderSchema = z.object({ account: z.string(), id: z.number(), login: z.string() });

export class JournalAccounts implements AccountStore {
  readonly #journal: Journal;
  readonly #byId = new Map<number, AccountHolder>();
  /** Writes in progress. */
  readonly #writing = new Map<number, Promise<void>>();
  readonly #byAccount = new Map<string, AccountHolder>();

  constructor(folder: Folder) {
    const { entries, journal } = openJournal(folder, FILE, (text) => holderSchema.parse(readRecord("accounts", text)));
    this.#journal = journal;
    for (const holder of entries) this.#keep(holder);
  }

  async of({ id, login }: GitHubPerson): Promise<string> {
    return this.#byId.get(id)?.account ?? this.#free(id, login);
  }

  async holder(account: string): Promise<AccountHolder | null> {
    return this.#byAccount.get(account) ?? null;
  }

  async tie({ id, login }: GitHubPerson): Promise<{ readonly account: string; readonly first: boolean }> {
    const known = this.#byId.get(id);
    const account = known?.account ?? this.#free(id, login);
    if (known?.login !== login) this.#writing.set(id, this.#write({ account, id, login }, known));
    await this.#writing.get(id);
    return { account, first: known === undefined };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
    await this.#journal.close();
  }

  /** In memory at once, so that nobody else takes the name during the write. */
  async #write(holder: AccountHolder, before: AccountHolder | undefined): Promise<void> {
    this.#keep(holder);
    this.#journal.add(writeRecord("accounts", holder));
    try {
      await this.#journal.flushed();
    } catch (error) {
      this.#byId.delete(holder.id);
      this.#byAccount.delete(holder.account);
      if (before !== undefined) this.#keep(before);
      throw error;
    } finally {
      this.#writing.delete(holder.id);
    }
  }

  #free(id: number, login: string): string {
    const account = accountOf(login);
    return this.#byAccount.has(account) ? accountApart(login, id) : account;
  }

  #keep(holder: AccountHolder): void {
    this.#byId.set(holder.id, holder);
    this.#byAccount.set(holder.account, holder);
  }
}
