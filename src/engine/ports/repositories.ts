/** Observed repository metadata. */
import type { RepositorySettings } from "../../contracts/settings.ts";

/** Repository metadata that is known without asking GitHub. */
export interface ObservedRepository {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
  readonly installation_id: number;
  /** Null: must be fetched before use. */
  readonly base: {
    readonly branch: string;
    readonly head_sha: string;
    readonly tree_sha: string;
    readonly has_workflow: boolean;
  } | null;
  /** The last valid settings; null when none were ever read. */
  readonly settings: RepositorySettings | null;
  readonly settings_problem: string | null;
}

export interface RepositoryStore {
  get(owner: string, name: string): Promise<ObservedRepository | null>;
  /** By GitHub's id, which survives renames. */
  byId(id: number): Promise<ObservedRepository | null>;
  put(repository: ObservedRepository): Promise<void>;
  ofInstallation(installation_id: number): Promise<readonly ObservedRepository[]>;
  remove(owner: string, name: string): Promise<void>;
}
