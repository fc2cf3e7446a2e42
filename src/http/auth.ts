/**
 * Who calls: API keys and what they may. Keys are compared by their SHA-256, in constant time; a key itself is never
 * kept. Which jobs a key sees is decided here and nowhere else.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import type { KeyStore, Scope } from "../engine/ports.ts";
import { ADMIN_ACCOUNT, accountNamed } from "../job/account.ts";
import type { Job } from "../job/job.ts";
import { fullName } from "../job/job.ts";
import { failure, send, UNAUTHORIZED } from "./answer.ts";

export interface Principal {
  /** Null: `API_KEY` of the settings. */
  readonly key_id: string | null;
  readonly account: string;
  /** `owner/name`; null: any. */
  readonly repository: string | null;
  readonly scopes: readonly Scope[];
}

const ROOT: Principal = {
  key_id: null,
  account: ADMIN_ACCOUNT,
  repository: null,
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

const may = (principal: Principal, scope: Scope): boolean =>
  principal.scopes.includes(scope) || principal.scopes.includes("admin");

/** A key sees the jobs of its account, one with `admin` those of every account; both only within its repository. */
export const sees = (principal: Principal, job: Job): boolean =>
  (principal.repository === null || principal.repository.toLowerCase() === fullName(job.repository).toLowerCase()) &&
  (principal.account === accountNamed(job.account) || principal.scopes.includes("admin"));

/** Longer ones are none of ours and not worth hashing. */
const MAX_KEY_LENGTH = 200;

function presented(request: Request): string | null {
  const header = request.headers["x-api-key"];
  const authorization = request.headers.authorization;
  const bearer = authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : undefined;
  const key = typeof header === "string" ? header.trim() : bearer;
  return key === undefined || key === "" || key.length > MAX_KEY_LENGTH ? null : key;
}

export interface Authentication {
  /** Lets the request pass when its key has the scope; else answers 401 or 403. */
  require(scope: Scope): RequestHandler;
}

export function authentication(parts: {
  readonly keys: KeyStore;
  readonly api_key: string | null;
  readonly now: () => number;
}): Authentication {
  const root = parts.api_key === null ? null : Buffer.from(hashOf(parts.api_key));

  const identify = async (key: string): Promise<Principal | null> => {
    const digest = hashOf(key);
    const bytes = Buffer.from(digest);
    if (root !== null && timingSafeEqual(root, bytes)) return ROOT;
    const stored = await parts.keys.byHash(digest);
    if (stored === null || stored.hash.length !== digest.length) return null;
    if (!timingSafeEqual(Buffer.from(stored.hash), bytes)) return null;
    const now = parts.now();
    if (stored.expires_at !== null && stored.expires_at <= now) return null;
    parts.keys.touch(stored.id, now);
    return { key_id: stored.id, account: stored.account, repository: stored.repository, scopes: stored.scopes };
  };

  return {
    require: (scope) => async (request, response, next) => {
      const key = presented(request);
      const principal = key === null ? null : await identify(key);
      if (principal === null) {
        send(request, response, { ...UNAUTHORIZED, headers: { "WWW-Authenticate": "Bearer" } });
      } else if (may(principal, scope)) {
        request.principal = principal;
        next();
      } else {
        send(
          request,
          response,
          failure(403, "missing_scope", `This key lacks the scope ${scope}; use one that has it.`),
        );
      }
    },
  };
}
