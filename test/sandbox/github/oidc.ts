/**
 * GitHub as an OIDC issuer: its key, who may request an identity token, and the token's claims. Independent of HTTP.
 * Signs with node:crypto, so that verifiers are tested against another implementation.
 */
import { createPublicKey, type KeyObject, randomBytes, randomUUID, sign, timingSafeEqual } from "node:crypto";
import type { RunIdentity } from "../ports.ts";
import { keyPair } from "./key-pair.ts";
import { fullName, type Json, type Repository, type WorkflowRun } from "./model.ts";

/** GitHub's tokens live five minutes, and are valid from ten minutes before, for clocks that are behind. */
const LIFE_S = 300;
const EARLY_S = 600;

/** Below the sandbox's address, as on a GitHub Enterprise Server. */
export const ISSUER_PATH = "/_services/token";
const REQUEST_PATH = "/_services/pipelines";

interface Grant {
  readonly id: string;
  readonly token: string;
  readonly identity: RunIdentity;
}

interface Key {
  readonly id: string;
  readonly private: KeyObject;
}

export class Oidc {
  readonly issuer: string;
  readonly #url: string;
  readonly #now: () => number;
  readonly #grants = new Map<string, Grant>();
  #key: Key | undefined;

  constructor(url: string, now: () => number) {
    this.#url = url;
    this.issuer = `${url}${ISSUER_PATH}`;
    this.#now = now;
  }

  /** Lets one job of a run request tokens until {@link close}. */
  open(identity: RunIdentity): { readonly url: string; readonly token: string } {
    const grant = { id: randomBytes(12).toString("hex"), token: randomBytes(96).toString("base64url"), identity };
    this.#grants.set(grant.id, grant);
    return { url: `${this.#url}${REQUEST_PATH}/${grant.id}/idtoken?api-version=2.0`, token: grant.token };
  }

  close(token: string): void {
    for (const [id, grant] of this.#grants) if (grant.token === token) this.#grants.delete(id);
  }

  /** The job that this token belongs to, at this path. */
  identity(pathname: string, bearer: string): RunIdentity | undefined {
    const grant = this.#grants.get(new RegExp(`^${REQUEST_PATH}/(\\w+)/idtoken$`).exec(pathname)?.[1] ?? "");
    if (!grant || grant.token.length !== Buffer.byteLength(bearer)) return undefined;
    return timingSafeEqual(Buffer.from(grant.token), Buffer.from(bearer)) ? grant.identity : undefined;
  }

  configuration(): Json {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/.well-known/jwks`,
      subject_types_supported: ["public", "pairwise"],
      response_types_supported: ["id_token"],
      claims_supported: CLAIMS,
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid"],
    };
  }

  keys(): Json {
    const key = this.#signingKey();
    const { kty, n, e } = createPublicKey(key.private).export({ format: "jwk" });
    return { keys: [{ kty, n, e, kid: key.id, use: "sig", alg: "RS256" }] };
  }

  token(
    subscriptionMatcher: string | undefined,
    identity: RunIdentity,
    repository: Repository,
    run: WorkflowRun,
  ): string {
    const key = this.#signingKey();
    const now = Math.floor(this.#now() / 1000);
    const said: Json = {
      jti: randomUUID(),
      iss: this.issuer,
      aud: subscriptionMatcher ?? `${this.#url}/${repository.owner.login}`,
      ...claims(identity, repository, run),
      iat: now,
      nbf: now - EARLY_S,
      exp: now + LIFE_S,
    };
    const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ typ: "JWT", alg: "RS256", kid: key.id })}.${part(said)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), key.private).toString("base64url")}`;
  }

  /** Created when first needed, since most tests never ask. */
  #signingKey(): Key {
    this.#key ??= {
      id: randomBytes(20).toString("hex"),
      private: keyPair().privateKey,
    };
    return this.#key;
  }
}

/** All numbers are strings. */
function claims(identity: RunIdentity, repository: Repository, run: WorkflowRun): Json {
  const { owner } = repository;
  const name = fullName(repository);
  const workflow = `${name}/${run.path}@${identity.ref}`;
  const about = run.event === "pull_request" ? "pull_request" : `ref:${identity.ref}`;
  return {
    // repositories created since July 2026 have the numbers in it, which outlive names
    sub: `repo:${owner.login}@${owner.id}/${repository.name}@${repository.id}:${about}`,
    ref: identity.ref,
    ref_type: identity.ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: String(repository.protections.has(identity.ref.replace(/^refs\/heads\//, ""))),
    head_ref: identity.headRef,
    base_ref: identity.baseRef,
    sha: identity.sha,
    repository: name,
    repository_id: String(repository.id),
    repository_owner: owner.login,
    repository_owner_id: String(owner.id),
    repository_visibility: repository.private ? "private" : "public",
    run_id: String(run.id),
    run_number: String(run.number),
    run_attempt: String(run.attempt),
    event_name: run.event,
    actor: run.actor.login,
    actor_id: String(run.actor.id),
    workflow: run.name,
    workflow_ref: workflow,
    workflow_sha: identity.sha,
    job_workflow_ref: workflow,
    job_workflow_sha: identity.sha,
    runner_environment: "self-hosted",
  };
}

const CLAIMS = [
  ...["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "ref_type", "ref_protected", "head_ref", "base_ref"],
  ...["sha", "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility"],
  ...["run_id", "run_number", "run_attempt", "event_name", "actor", "actor_id", "workflow", "workflow_ref"],
  ...["workflow_sha", "job_workflow_ref", "job_workflow_sha", "runner_environment"],
];
