/** The identity of a running job, and the token that it pushes with. */

import type { Secret } from "../../contracts/secret.ts";
import type { Repository } from "../../domain/job/job.ts";
import type { RunClaims } from "../../domain/job/run-claims.ts";

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
