/** API keys, all in one lowdb file, since they are few and rarely change. Stores hashes only. */
import * as z from "zod";
import { SCOPES } from "../../domain/access.ts";
import { accountNamed } from "../../domain/job/account.ts";
import type { KeyStore, StoredKey } from "../../engine/ports/keys.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

const FILE = "keys.json";

/** How long the time of a key's last use stays in memory; a crash may lose that much of it. */
export const TOUCH_FLUSH_MS = 60_000;

const keysFile = z.object({
  keys: z.array(
    z.object({
      id: z.string(),
      hash: z.string(),
      hint: z.string(),
      account: z.string().transform(accountNamed),
      repository: z.string().nullable(),
      scopes: z.array(z.enum(SCOPES)),
      created_at: z.number(),
      expires_at: z.number().nullable(),
      last_used_at: z.number().nullable(),
      repository_id: z.number().nullable(),
      login: z.string().nullable(),
      replaces: z.string().nullable(),
      replaced_by: z.string().nullable(),
    }),
  ),
});

const format: Format<readonly StoredKey[]> = {
  parse: (text) => keysFile.parse(readRecord("keys", text)).keys,
  write: (keys) => writeRecord("keys", { keys }),
};

export class LowdbKeys implements KeyStore {
  readonly #folder: Folder;
  #byHash: ReadonlyMap<string, StoredKey> = new Map();
  #byId: ReadonlyMap<string, StoredKey> = new Map();
  /** Uses since the last write, by key id. */
  readonly #touched = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(folder: Folder) {
    this.#folder = folder;
    this.#keep(readFile(folder, FILE, format)?.data ?? []);
  }

  async add(key: StoredKey): Promise<void> {
    const keys = this.#current();
    if (keys.some(({ id, hash }) => id === key.id || hash === key.hash)) throw new Error(`Key ${key.id} exists.`);
    this.#write([...keys, key]);
  }

  async byHash(hash: string): Promise<StoredKey | null> {
    const key = this.#byHash.get(hash);
    return key === undefined ? null : this.#asTouched(key);
  }

  async list(): Promise<readonly StoredKey[]> {
    return this.#current();
  }

  async replace(next: StoredKey, expires_at: number): Promise<boolean> {
    const keys = this.#current();
    const old = keys.find(({ id }) => id === next.replaces);
    if (old === undefined || old.replaced_by !== null) return false;
    const ends = Math.min(expires_at, old.expires_at ?? expires_at);
    // Otherwise a key that is rotated again and again would leave one behind each time.
    const ended = (key: StoredKey) => key.replaced_by !== null && (key.expires_at ?? 0) <= next.created_at;
    const others = keys.filter((key) => key !== old);
    this.#write(without(ended, [...others, { ...old, expires_at: ends, replaced_by: next.id }, next]));
    return true;
  }

  async remove(id: string): Promise<readonly string[]> {
    const keys = this.#current();
    const gone = new Set<string>();
    for (let key = keys.find((one) => one.id === id); key !== undefined && !gone.has(key.id); ) {
      gone.add(key.id);
      const { id: replaced } = key;
      key = keys.find((one) => one.replaces === replaced);
    }
    if (gone.size > 0) this.#write(keys.filter((key) => !gone.has(key.id)));
    return [...gone];
  }

  async bind(id: string, repository_id: number): Promise<void> {
    const keys = this.#current();
    if (!keys.some((key) => key.id === id && key.repository_id === null)) return;
    this.#write(keys.map((key) => (key.id === id ? { ...key, repository_id } : key)));
  }

  lives(id: string, at: number): boolean {
    const key = this.#byId.get(id);
    return key !== undefined && (key.expires_at === null || key.expires_at > at);
  }

  touch(id: string, at: number): void {
    this.#touched.set(id, Math.max(at, this.#touched.get(id) ?? at));
    this.#timer ??= setTimeout(() => this.#flushLater(), TOUCH_FLUSH_MS).unref();
  }

  /** Saves when keys were used. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#touched.size > 0) this.#write(this.#current());
  }

  #flushLater(): void {
    try {
      this.flush();
    } catch {
      // The times stay in memory; the next use of a key, or the close, retries.
    }
  }

  #asTouched(key: StoredKey): StoredKey {
    const at = this.#touched.get(key.id);
    return at === undefined ? key : { ...key, last_used_at: Math.max(at, key.last_used_at ?? at) };
  }

  #current(): readonly StoredKey[] {
    return [...this.#byHash.values()].map((key) => this.#asTouched(key));
  }

  #write(keys: readonly StoredKey[]): void {
    this.#keep(writeFile(this.#folder, FILE, format, keys).data);
    this.#touched.clear();
  }

  #keep(keys: readonly StoredKey[]): void {
    this.#byHash = new Map(keys.map((key) => [key.hash, key]));
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }
}

/** Links the remaining keys of a rotation directly, so that revoking one still finds its successors. */
function without(gone: (key: StoredKey) => boolean, keys: readonly StoredKey[]): readonly StoredKey[] {
  const dead = new Map(keys.filter(gone).map((key) => [key.id, key]));
  const past = (id: string | null, end: "replaces" | "replaced_by"): string | null => {
    let at = id;
    for (let key = dead.get(at ?? ""); key !== undefined; key = dead.get(at ?? "")) at = key[end];
    return at;
  };
  return keys
    .filter(({ id }) => !dead.has(id))
    .map((key) => ({
      ...key,
      replaces: past(key.replaces, "replaces"),
      replaced_by: past(key.replaced_by, "replaced_by"),
    }));
}
