/** What single accounts may spend, all in one lowdb file: an operator sets few, and rarely. */
import * as z from "zod";
import type { AccountLimits } from "../../contracts/budget.ts";
import { accountNamed } from "../../domain/job/account.ts";
import type { AccountLimitsStore } from "../../engine/ports/account-budgets.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

const FILE = "account-budgets.json";

const cents = z.number().nullable();
const fileSchema = z.object({
  budgets: z.array(z.object({ account: z.string(), day_cents: cents, month_cents: cents })),
});
type Kept = readonly (AccountLimits & { readonly account: string })[];

const format: Format<Kept> = {
  parse: (text) => fileSchema.parse(readRecord("account budgets", text)).budgets,
  write: (budgets) => writeRecord("account budgets", { budgets }),
};

export class LowdbAccountLimits implements AccountLimitsStore {
  readonly #folder: Folder;
  #known: ReadonlyMap<string, AccountLimits> = new Map();

  constructor(folder: Folder) {
    this.#folder = folder;
    this.#keep(readFile(folder, FILE, format)?.data ?? []);
  }

  any(): boolean {
    return this.#known.size > 0;
  }

  async all(): Promise<Kept> {
    const all = [...this.#known].map(([account, limits]) => ({ account, ...limits }));
    return all.toSorted((a, b) => (a.account < b.account ? -1 : 1));
  }

  async get(account: string): Promise<AccountLimits | null> {
    return this.#known.get(accountNamed(account)) ?? null;
  }

  async set(account: string, { day_cents, month_cents }: AccountLimits): Promise<void> {
    this.#write(new Map([...this.#known, [accountNamed(account), { day_cents, month_cents }]]));
  }

  async remove(account: string): Promise<boolean> {
    const next = new Map(this.#known);
    const had = next.delete(accountNamed(account));
    if (had) this.#write(next);
    return had;
  }

  #write(next: ReadonlyMap<string, AccountLimits>): void {
    const budgets = [...next].map(([account, limits]) => ({ account, ...limits }));
    this.#keep(writeFile(this.#folder, FILE, format, budgets).data);
  }

  #keep(kept: Kept): void {
    this.#known = new Map(kept.map(({ account, ...limits }) => [account, limits]));
  }
}
