/** The audit log: who did what. */
import type { Actor } from "../../domain/job/command.ts";

/** An entry of the audit log. Never holds a task, a key or a secret. */
export interface AuditEntry {
  readonly at: number;
  readonly account: string | null;
  /** On GitHub. */
  readonly login: string | null;
  /** Null for `API_KEY` and without a key. */
  readonly key_id: string | null;
  readonly address: string | null;
  /** Of the HTTP request or the GitHub delivery. */
  readonly request_id: string | null;
  /** The command, such as `cancel`, or a change of an account, key or subscription, such as `key-created`. */
  readonly action: string;
  readonly target: {
    readonly type: "job" | "key" | "subscription" | "account" | "trigger";
    readonly id: string;
  } | null;
  /** `owner/name`, if the action was about a repository. */
  readonly repository: string | null;
  /** `done`, `unchanged`, or a refusal's code. */
  readonly outcome: string;
}

export interface AuditFilter {
  readonly job_id?: string;
  /** The actor's account. */
  readonly account?: string;
  readonly key_id?: string;
  /** `owner/name` in any case. */
  readonly repository?: string;
  /** Excludes older entries. */
  readonly since?: number;
  readonly limit: number;
  /** From the previous page; opaque. Newest first. */
  readonly cursor?: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /**
   * Null when there are no older entries. A page may be short or empty before that, since each scans a bounded part.
   */
  readonly cursor: string | null;
}

/** An append-only log with limited retention. */
export interface AuditLog {
  /** Resolves when the entry survives this process; a power cut may lose the last second. Rejects when it cannot be written. */
  add(entry: AuditEntry): Promise<void>;
  list(filter: AuditFilter): Promise<AuditPage>;
}

/** Records an action. Never throws. */
export type Recorder = (by: Actor, what: Pick<AuditEntry, "action" | "target" | "repository" | "outcome">) => void;
