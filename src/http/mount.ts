/**
 * Puts routes on the router: what stands before the work of each is decided here, the same for all. The key is known
 * before the body is read, and counted before it is parsed.
 */
import type { RequestHandler, Router } from "express";
import type { Log } from "../engine/ports.ts";
import { answering } from "./answer.ts";
import type { Authentication } from "./auth.ts";
import { jsonBody } from "./body.ts";
import { type IdempotencyParts, idempotency } from "./idempotency.ts";
import { inTurn } from "./in-turn.ts";
import { writeLimit } from "./limits.ts";
import { type StandingParts, standing } from "./standing.ts";
import { expressPath, type Route } from "./route.ts";

export interface MountParts extends IdempotencyParts, StandingParts {
  readonly door: IdempotencyParts["door"] & StandingParts["door"];
  readonly authentication: Authentication;
  readonly log: Log;
}

export function mount(router: Router, routes: readonly Route[], parts: MountParts, arrival: RequestHandler): void {
  const { authentication, log } = parts;
  const limit = writeLimit();
  const stands = standing(parts);
  const body = jsonBody();
  const repeatable = idempotency(parts);

  const before = ({ method, scope, lasting, guards = [] }: Route): RequestHandler[] => {
    const who = lasting ? [limit] : [limit, stands];
    const writing = method === "get" ? [] : method === "delete" ? who : [...who, body];
    return [arrival, authentication.require(scope), ...writing, ...guards];
  };

  for (const route of routes) {
    const path = expressPath(route.path);
    const work = route.repeatable ? repeatable(`${route.method.toUpperCase()} ${path}`, route.run) : route.run;
    router[route.method](path, inTurn(...before(route), answering(work, log, route.failed)));
  }
}
