/** The audit log: who did what. */
import type { Actor } from "../../domain/job/command.ts";

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
