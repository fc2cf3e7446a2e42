/** What a running job sends to the server: its identity, its log lines, and requests for a push token. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Secret } from "../../contracts/secret.ts";
import type { JobId, Repository } from "../../domain/job/job.ts";
import type { RunClaims } from "../../domain/job/run-claims.ts";
import type { StoredJob } from "./jobs.ts";

/** Buffers the log lines of running jobs in memory. The final log is stored when a run ends. */
export interface RunLines {
  /** Adds new lines of the running attempt; returns the number of the last line received, or 0. */
  add(stored: StoredJob, lines: readonly LogLine[]): number;
  /** The job with its buffered lines added; the same object when there are none. */
  viewed(stored: StoredJob): StoredJob;
  /** Called after every commit; drops buffered lines that are now stored or whose attempt has ended. */
  committed(stored: StoredJob): void;
  /** Calls back on new lines of the job; the returned function ends that. */
  follow(id: JobId, tell: () => void): () => void;
}

export type Verified =
  | { readonly kind: "claims"; readonly claims: RunClaims }
  /** Not issued by GitHub, not for us, expired, or without a run. */
  | { readonly kind: "invalid" }
  /** GitHub's keys cannot be fetched now. */
  | { readonly kind: "unavailable" };

/** Verifies the OIDC tokens of workflows. */
export interface RunTokens {
  verify(token: string): Promise<Verified>;
}

export interface PushToken {
  readonly token: Secret;
  /** In GitHub's format. */
  readonly expires_at: string;
}

/** Issues tokens that can write to one repository only. Throws when GitHub issues none. */
export interface PushTokens {
  create(repository: Repository, repository_id: number): Promise<PushToken>;
}
