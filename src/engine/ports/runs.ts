/** What a running job sends to the server: its identity, its log lines, and the token it pushes with. */

import type { LogLine } from "../../contracts/log-line.ts";
import type { Secret } from "../../contracts/secret.ts";
import type { JobId, Repository } from "../../domain/job/job.ts";
import type { RunClaims } from "../../domain/job/run-claims.ts";
import type { StoredJob } from "./jobs.ts";

/** The lines of running jobs as they come, in memory: a run that has ended left them elsewhere as well. */
export interface RunLines {
  /** Takes what is new of the lines of the job's running try; answers up to which it has them, 0: none. */
  add(stored: StoredJob, lines: readonly LogLine[]): number;
  /** The job as it would be stored with the lines of its running try; the same object where there are none. */
  viewed(stored: StoredJob): StoredJob;
  /** Called after every commit; drops buffered lines that are now stored or whose attempt has ended. */
  committed(stored: StoredJob): void;
  /** Calls back for every new line of the job; the answer unsubscribes. */
  follow(id: JobId, tell: () => void): () => void;
}

export type Verified =
  | { readonly kind: "claims"; readonly claims: RunClaims }
  /** Not GitHub's, not for us, over, or of no run. */
  | { readonly kind: "invalid" }
  /** GitHub's keys cannot be read just now. */
  | { readonly kind: "unavailable" };

/** Reads the OIDC tokens of workflows. */
export interface RunTokens {
  verify(token: string): Promise<Verified>;
}

export interface PushToken {
  readonly token: Secret;
  /** As GitHub spells it. */
  readonly expires_at: string;
}

/** Makes tokens that can write to one repository and nothing else. Throws when GitHub makes none. */
export interface PushTokens {
  mint(repository: Repository, repository_id: number): Promise<PushToken>;
}
