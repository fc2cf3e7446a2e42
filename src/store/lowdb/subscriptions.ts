/** Webhook subscriptions: one lowdb file each, cached in memory, since every commit looks for subscribers. */
import * as z from "zod";
import { accountOfRepository } from "../../domain/job/account.ts";
import { type Named, namedRepository, sameRepository } from "../../domain/job/job.ts";
import { PUBLISHED_EVENT_NAMES, type PublishedEventName } from "../../domain/published-events.ts";
import { eventsWanted, FORMAT_NAMES } from "../../domain/webhook-format.ts";
import type { StoredSubscription, SubscriptionStore } from "../../engine/ports/subscriptions.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

const ENDING = ".json";

const subscriptionSchema = z.object({
  id: z.string(),
  account: z.string(),
  // Older records lack these three.
  version: z.number().int().positive().default(1),
  shape: z.enum(FORMAT_NAMES).default("journeyman"),
  sealed_url: z.string().nullable().default(null),
  url: z.string().nullable(),
  events: z.array(z.enum(PUBLISHED_EVENT_NAMES)).nullable(),
  repository: z.string().nullable(),
  // Older records lack it.
  repository_id: z.number().nullable().default(null),
  created_at: z.number(),
  disabled: z.object({ at: z.number(), reason: z.string() }).nullable(),
  secret: z.string(),
  old_secret: z.object({ secret: z.string(), until: z.number() }).nullable(),
});

const format: Format<StoredSubscription> = {
  parse: (text) => {
    const { shape, ...rest } = subscriptionSchema.parse(readRecord("subscription", text));
    return { ...rest, format: shape };
  },
  // The `format` of a record is the number of its own.
  write: ({ format: shape, ...rest }) => writeRecord("subscription", { ...rest, shape }),
};

const fileOf = (id: string): string => `${encodeURIComponent(id)}${ENDING}`;

const byAge = (a: StoredSubscription, b: StoredSubscription): number =>
  a.created_at - b.created_at || (a.id < b.id ? -1 : 1);

export class LowdbSubscriptions implements SubscriptionStore {
  readonly #folder: Folder;
  readonly #known = new Map<string, StoredSubscription>();
  /** Those with an address, by account, and by the repository that they are tied to under the account of its own jobs. */
  readonly #addressed = new Map<string, ReadonlyMap<string, StoredSubscription>>();

  constructor(folder: Folder) {
    this.#folder = folder;
    for (const name of folder.takeFound(ENDING)) {
      const subscription = readFile(folder, name, format)?.data;
      if (subscription !== undefined) this.#remember(subscription);
    }
  }

  async add(subscription: StoredSubscription, most: number): Promise<boolean> {
    if (this.#known.has(subscription.id)) throw new Error(`Subscription ${subscription.id} exists.`);
    const full = subscription.url !== null && this.#of(subscription.account).size >= most;
    if (!full) this.#write(subscription);
    return !full;
  }

  async get(id: string): Promise<StoredSubscription | null> {
    return this.#known.get(id) ?? null;
  }

  async list(account?: string): Promise<readonly StoredSubscription[]> {
    const all = account === undefined ? this.#known.values() : this.#of(account).values();
    return [...all].filter(({ url }) => url !== null).sort(byAge);
  }

  async replace(next: StoredSubscription): Promise<StoredSubscription | null> {
    if (this.#known.get(next.id)?.version !== next.version) return null;
    return this.#write({ ...next, version: next.version + 1 });
  }

  async remove(id: string): Promise<boolean> {
    const subscription = this.#known.get(id);
    if (subscription === undefined) return false;
    this.#folder.remove(fileOf(id));
    this.#known.delete(id);
    this.#forget(subscription);
    return true;
  }

  async matching(
    account: string,
    repository: Named,
    event: PublishedEventName,
  ): Promise<readonly StoredSubscription[]> {
    return [...this.#of(account).values()].filter(
      (one) =>
        one.disabled === null &&
        eventsWanted(one).includes(event) &&
        (one.repository === null || sameRepository(namedRepository(one.repository, one.repository_id), repository)),
    );
  }

  #of(account: string): ReadonlyMap<string, StoredSubscription> {
    return this.#addressed.get(account) ?? NONE;
  }

  #write(subscription: StoredSubscription): StoredSubscription {
    const { data } = writeFile(this.#folder, fileOf(subscription.id), format, subscription);
    this.#remember(data);
    return data;
  }

  #remember(subscription: StoredSubscription): void {
    const before = this.#known.get(subscription.id);
    if (before !== undefined) this.#forget(before);
    this.#known.set(subscription.id, subscription);
    if (subscription.url === null) return;
    for (const account of accountsOf(subscription))
      this.#addressed.set(account, new Map([...this.#of(account), [subscription.id, subscription]]));
  }

  #forget(subscription: StoredSubscription): void {
    for (const account of accountsOf(subscription)) {
      const others = new Map(this.#of(account));
      others.delete(subscription.id);
      if (others.size > 0) this.#addressed.set(account, others);
      else this.#addressed.delete(account);
    }
  }
}

/** Whose events it hears. */
const accountsOf = ({ account, repository_id }: StoredSubscription): readonly string[] =>
  repository_id === null ? [account] : [account, accountOfRepository(repository_id)];

const NONE: ReadonlyMap<string, StoredSubscription> = new Map();
