/** API keys and the store that keeps them. */

import type { Scope } from "../../domain/access.ts";

/** An API key as it is stored: never the key itself, its SHA-256 alone. */
export interface StoredKey {
  readonly id: string;
  readonly hash: string;
  /** The first characters, to tell keys apart in a list. */
  readonly hint: string;
  readonly account: string;
  /** Who signed in for it: it commands as long as that person may. Null: an admin made it. */
  readonly login: string | null;
  /** `owner/name` as it was, or null: the body or the default says which. */
  readonly repository: string | null;
  /** GitHub's number of that repository, by which it counts; null: not known yet, or bound to none. */
  readonly repository_id: number | null;
  readonly scopes: readonly Scope[];
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  /** The key that this one was made to follow, and the one that was made to follow it; at most one each. Those between that have ended are left out. */
  readonly replaces: string | null;
  readonly replaced_by: string | null;
}

export interface KeyStore {
  add(key: StoredKey): Promise<void>;
  byHash(hash: string): Promise<StoredKey | null>;
  list(): Promise<readonly StoredKey[]>;
  /**
   * In one step adds `next`, which replaces the key of its `replaces`, and lets that one expire at `expires_at`, or when
   * it would anyway; replaced ones that have ended by the time of `next` go. False, and nothing changes, where that key is gone or has been replaced already.
   */
  replace(next: StoredKey, expires_at: number): Promise<boolean>;
  /**
   * In one step removes the key and those that were made to follow it, one after the other: whoever has stolen a key may
   * have rotated it. Answers their ids, this one's first; none where there is no such key.
   */
  remove(id: string): Promise<readonly string[]>;
  /** Binds a key to the repository of this number for good; nothing where it has one already. */
  bind(id: string, repository_id: number): Promise<void>;
  /** Whether the key of this id opens anything at this time; answered from memory. */
  lives(id: string, at: number): boolean;
  /** Kept in memory and written now and then: a read must not cost a write. */
  touch(id: string, at: number): void;
}
