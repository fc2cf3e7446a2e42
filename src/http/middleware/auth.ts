/**
 * Authenticates requests by API key. Keys are compared by their SHA-256, in constant time; a key itself is never kept.
 * What a key may do is decided in `src/domain/access.ts`.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { canReachServer, hasScope, type Principal, type Scope } from "../../domain/access.ts";
import { ADMIN_ACCOUNT } from "../../domain/job/account.ts";
import { fullName } from "../../domain/job/job.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { KeyStore, StoredKey } from "../../engine/ports/keys.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import { failure, type HttpResult, send, UNAUTHORIZED } from "../routing/answer.ts";
import { MAX_KEY_LENGTH } from "../routing/limits.ts";
import type { AuthThrottle } from "./wrong-key-throttling.ts";

const ROOT: Principal = {
  key_id: null,
  account: ADMIN_ACCOUNT,
  login: null,
  repository: null,
  repository_id: null,
  scopes: ["read", "write", "work", "admin"],
};

/** What the store knows a key by. */
export const hashOf = (key: string): string => hash("sha256", key, "hex");

declare global {
  namespace Express {
    interface Request {
      principal?: Principal;
    }
  }
}

/** The caller of an authenticated route. */
export function principalOf(request: Request): Principal {
  if (request.principal === undefined) throw new Error("a route that needs a caller is not behind authentication");
  return request.principal;
}

function presented(request: Request): string | null {
  const header = request.headers["x-api-key"];
  const authorization = request.headers.authorization;
  const bearer = authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : undefined;
  const key = typeof header === "string" ? header.trim() : bearer;
  return key === undefined || key === "" || key.length > MAX_KEY_LENGTH ? null : key;
}

const CHALLENGE: HttpResult = { ...UNAUTHORIZED, headers: { "WWW-Authenticate": "Bearer" } };

const BOUND = failure(
  403,
  "forbidden",
  "This is for the whole server, and a key that is bound to a repository reaches no further than that; use API_KEY.",
);

export interface Authentication {
  /** Lets the request pass when its key has the scope, or with null when it is valid at all; else answers 401 or 403. */
  require(scope: Scope | "any"): RequestHandler;
  /** Stands behind `require`: a key that is bound to a repository reaches nothing of the whole server's. */
  readonly unbound: RequestHandler;
}

type Bound = Pick<Principal, "repository" | "repository_id">;

const UNBOUND: Bound = { repository: null, repository_id: null };

/**
 * What a key is bound to, under its present name; null: its repository is gone, and another has that name. A key that was
 * made before the number was known is tied to it at its first use after that.
 */
async function boundNow(
  { keys, repositories, record }: Parameters<typeof authentication>[0],
  { id, account, login, repository_id }: StoredKey,
  repository: string,
): Promise<Bound | null> {
  const same = repository_id === null ? null : await repositories.byId(repository_id);
  if (same !== null) return { repository: fullName(same), repository_id };
  const [owner = "", name = ""] = repository.split("/");
  const there = await repositories.get(owner, name);
  if (there === null) return { repository, repository_id };
  if (repository_id !== null) return null;
  await keys.bind(id, there.id);
  const via = { key_id: id, address: null, request_id: null };
  record({ account, login, via }, { action: "key-tied", target: { type: "key", id }, repository, outcome: "done" });
  return { repository, repository_id: there.id };
}

export function authentication(parts: {
  readonly keys: KeyStore;
  readonly repositories: Pick<RepositoryStore, "get" | "byId">;
  readonly record: Recorder;
  readonly api_key: string | null;
  readonly authThrottle: AuthThrottle;
  readonly now: () => number;
}): Authentication {
  const root = parts.api_key === null ? null : Buffer.from(hashOf(parts.api_key));

  const { authThrottle } = parts;

  const identify = async (digest: string): Promise<Principal | null> => {
    if (root !== null && timingSafeEqual(root, Buffer.from(digest))) return ROOT;
    const stored = await parts.keys.byHash(digest);
    if (stored === null) return null;
    const now = parts.now();
    if (stored.expires_at !== null && stored.expires_at <= now) return null;
    const bound = stored.repository === null ? UNBOUND : await boundNow(parts, stored, stored.repository);
    if (bound === null) return null;
    parts.keys.touch(stored.id, now);
    const { id: key_id, account, login, scopes } = stored;
    return { key_id, account, login, scopes, ...bound };
  };

  /** Who calls; else the answer. The throttle is asked twice: other requests may have failed while the store was asked. */
  const callerOf = async (request: Request): Promise<Principal | HttpResult> => {
    const key = presented(request);
    const digest = key === null ? null : hashOf(key);
    const refusal = authThrottle.refusal(request, digest);
    if (refusal !== null) return refusal;
    if (digest === null) return CHALLENGE;
    const principal = await identify(digest);
    if (principal === null) authThrottle.failed(request);
    else {
      const late = authThrottle.refusal(request, digest);
      if (late !== null) return late;
      authThrottle.succeeded(request, digest);
    }
    return principal ?? CHALLENGE;
  };

  return {
    unbound: (request, response, next) => {
      if (canReachServer(principalOf(request))) next();
      else send(request, response, BOUND);
    },
    require: (scope) => async (request, response, next) => {
      const caller = await callerOf(request);
      if ("status" in caller) send(request, response, caller);
      else if (hasScope(caller, scope)) {
        request.principal = caller;
        next();
      } else {
        const sentence = `This key lacks the scope ${scope}; use one that has it.`;
        send(request, response, failure(403, "missing_scope", sentence));
      }
    },
  };
}
