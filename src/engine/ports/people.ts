/**
 * What the engine and its edges need to know of people and their keys: who holds what, who somebody is on GitHub, and
 * who did what. Part of `ports.ts`, which hands it on.
 */
import type { Actor } from "../../domain/job/command.ts";

/** Scopes of an API key. */
export const SCOPES = ["read", "write", "work", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

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

/** Somebody on GitHub: the number for ever, the name as it is now. */
export interface GitHubPerson {
  readonly id: number;
  readonly login: string;
}

/** Who an account belongs to. */
export interface AccountHolder extends GitHubPerson {
  readonly account: string;
}

/** Accounts hang on GitHub's numbers of people. Names change hands: whoever takes a known one gets an account apart. */
export interface AccountStore {
  /** The account of this person, or the one that they would get. */
  of(person: GitHubPerson): Promise<string>;
  /** The same for good, on the disk. `first`: this number was not known before. */
  tie(person: GitHubPerson): Promise<{ readonly account: string; readonly first: boolean }>;
  /** Null: nobody on GitHub has come for it yet. */
  holder(account: string): Promise<AccountHolder | null>;
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

/** What a browser takes along to GitHub, and what proves afterwards that we sent it there. */
export interface SignInBegun {
  readonly address: string;
  readonly state: string;
  readonly verifier: string;
}

export type SignedIn =
  | { readonly signed_in: true; readonly person: GitHubPerson }
  /**
   * `forged`: not the answer to what we began. `denied`: the person did not want to. `spent`: GitHub does not take the
   * code, or not from us. `misconfigured`: GitHub does not know our client by these settings.
   */
  | { readonly signed_in: false; readonly why: "forged" | "denied" | "spent" | "misconfigured" };

/** Signing in with GitHub: says who somebody is. What GitHub gives for that is not kept. */
export interface SignIn {
  begin(): Promise<SignInBegun>;
  /** Throws when GitHub cannot be asked. */
  finish(came_back_with: URLSearchParams, begun: Pick<SignInBegun, "state" | "verifier">): Promise<SignedIn>;
}

/** One line of the audit log. Never a task, a key or a secret. */
export interface AuditEntry {
  readonly at: number;
  readonly account: string | null;
  /** On GitHub. */
  readonly login: string | null;
  /** Null: `API_KEY`, or no key at all. */
  readonly key_id: string | null;
  readonly address: string | null;
  /** Of the HTTP request, or of GitHub's delivery. */
  readonly request_id: string | null;
  /** The command, such as `cancel`, or what was done to an account, a key or a subscription, such as `key-created`. */
  readonly action: string;
  readonly target: { readonly type: "job" | "key" | "subscription" | "account"; readonly id: string } | null;
  /** `owner/name`, where it was about one. */
  readonly repository: string | null;
  /** `done`, `unchanged`, or the code of the refusal. */
  readonly outcome: string;
}

export interface AuditFilter {
  readonly job_id?: string;
  /** Of whoever did it. */
  readonly account?: string;
  readonly key_id?: string;
  /** `owner/name`, any case. */
  readonly repository?: string;
  /** Nothing older is looked for. */
  readonly since?: number;
  readonly limit: number;
  /** As answered before; opaque. Newest first. */
  readonly cursor?: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Null: there is nothing older. A page may be short, and even empty, while there is: looking is bounded. */
  readonly cursor: string | null;
}

/** Who did what, kept for a bounded time and only ever added to. */
export interface AuditLog {
  /** Handed to the system at once, on the disk soon after; nobody waits for it. Throws when it is not taken. */
  add(entry: AuditEntry): void;
  list(filter: AuditFilter): Promise<AuditPage>;
}

/** Writes down what somebody did. Never throws. */
export type Recorder = (by: Actor, what: Pick<AuditEntry, "action" | "target" | "repository" | "outcome">) => void;
