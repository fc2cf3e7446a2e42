/** Stored repositories, commits, and the store that keeps and finds them. */
import type { EffectRef, Pending, Wanted } from "../../domain/pending-effect.ts";
import type { RepositoryEffect } from "../../domain/repository/effect.ts";
import type { ObservedRepository, RepositoryState } from "../../domain/repository/repository.ts";
import type { EffectStore } from "./aggregate.ts";

/** A stored repository: one record, written in one atomic write. */
export interface StoredRepository {
  readonly state: RepositoryState;
  /** Incremented by each commit, which must name the previous value. */
  readonly version: number;
  readonly effects: readonly Pending<RepositoryEffect>[];
}

/** Everything that one command changes. */
export interface RepositoryCommit {
  readonly id: number;
  /** Null removes the record. */
  readonly state: RepositoryState | null;
  /** 0: there is no record yet. */
  readonly expected_version: number;
  /** Added to the pending effects; replaces one with the same key under a new serial. */
  readonly effects: readonly Wanted<RepositoryEffect>[];
  /** The effect whose outcome this command reports; removed if its serial still matches. */
  readonly done: EffectRef | null;
}

export type RepositoryCommitAnswer =
  | { readonly ok: true; readonly stored: StoredRepository | null }
  /** Another commit came first. */
  | { readonly ok: false };

/** By GitHub's number. A name belongs to the repository that was stored under it last, in any case of letters. */
export interface RepositoryStore extends EffectStore<number, StoredRepository> {
  get(owner: string, name: string): Promise<RepositoryState | null>;
  byId(id: number): Promise<RepositoryState | null>;
  ofInstallation(installation_id: number): Promise<readonly RepositoryState[]>;
  /** Those whose files nobody has read, and nobody is asked to; the one that was stored last comes last. */
  unread(): Promise<readonly number[]>;
  commit(commit: RepositoryCommit): Promise<RepositoryCommitAnswer>;
}

/** Keeps what was read of a repository. */
export type ObserveRepository = (observed: ObservedRepository) => Promise<void>;
