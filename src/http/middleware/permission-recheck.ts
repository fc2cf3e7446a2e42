/**
 * Asks GitHub again now and then whether the person who signed in for a key may still command, before the key changes
 * something. Reads and revoking the key itself are not held up. Fails closed.
 */
import type { RequestHandler } from "express";
import { LRUCache } from "lru-cache";
import { canReach, type Principal } from "../../domain/access.ts";
import type { AccountStore } from "../../engine/ports/accounts.ts";
import type { Log } from "../../engine/ports/log.ts";
import type { JobService } from "../../engine/ports/service.ts";
import { findRepository, type RepositoryParts } from "../dialects/which-repository.ts";
import { failure, type HttpResult, send } from "../routing/answer.ts";
import { requestId } from "../server/request-log.ts";
import { principalOf } from "./auth.ts";

export interface PermissionRecheckParts extends Pick<RepositoryParts, "repositories" | "githubClient"> {
  readonly service: Pick<JobService, "admit" | "observe">;
  readonly accounts: Pick<AccountStore, "holder">;
  readonly now: () => number;
  readonly log: Log;
}

/** How long GitHub's yes counts. */
export const RECHECK_MS = 300_000;
/** Keys whose yes is kept; for one that falls out GitHub is asked again. */
const MAX_KEPT = 10_000;

const UNREACHABLE = failure(
  502,
  "github_unavailable",
  "GitHub could not be asked whether you may still command there; try again in a minute.",
);

const lost = (login: string, repository: string): HttpResult =>
  failure(403, "forbidden", `${login} may not command in ${repository} any more, so this key may not either.`);

interface SignedIn {
  readonly key_id: string;
  readonly login: string;
  readonly repository: string;
}

/** Null for a key that nobody signed in for. */
const signedInBy = ({ key_id, login, repository }: Principal): SignedIn | null =>
  key_id === null || login === null || repository === null ? null : { key_id, login, repository };

export function permissionRecheck(parts: PermissionRecheckParts): RequestHandler {
  // `max` would allocate room for all of them at once
  const until = new LRUCache<string, number>({ maxSize: MAX_KEPT, sizeCalculation: () => 1 });

  const refusal = async (principal: Principal, { key_id, login, repository }: SignedIn): Promise<HttpResult | null> => {
    const { account } = principal;
    const here = await findRepository(parts, repository);
    // a key that was made before its account was known by number is its person's who has the name now
    const person = (await parts.accounts.holder(account)) ?? { login };
    if (here === null || !canReach(principal, here)) return lost(login, repository);
    if ((await parts.service.admit(here, person)) !== account) return lost(login, repository);
    until.set(key_id, parts.now() + RECHECK_MS);
    return null;
  };

  return async (request, response, next) => {
    const principal = principalOf(request);
    const signedIn = signedInBy(principal);
    if (signedIn === null || (until.get(signedIn.key_id) ?? 0) > parts.now()) return next();
    const answer = await refusal(principal, signedIn).catch((error: unknown) => {
      parts.log.warn({ request: requestId(request), err: error }, "GitHub could not be asked who may command");
      return UNREACHABLE;
    });
    if (answer === null) next();
    else send(request, response, answer);
  };
}
