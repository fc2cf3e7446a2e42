/**
 * Puts routes on the router: what stands before the work of each is decided here, the same for all. The key is known
 * before the body is read, and counted before it is parsed.
 */
import type { RequestHandler, Router } from "express";
import type { Log } from "../engine/ports.ts";
import { answering } from "./answer.ts";
import type { Authentication } from "./auth.ts";
import { jsonBody, rawBody } from "./body.ts";
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
  const bytes = rawBody();
  const repeatable = idempotency(parts);

  const before = ({ method, scope, lasting, open, raw, guards = [] }: Route): RequestHandler[] => {
    const reading = method === "get" || method === "delete" ? [] : [raw === true ? bytes : body];
    if (open === true) return [arrival, ...reading, ...guards];
    const who = method === "get" ? [] : lasting ? [limit] : [limit, stands];
    return [arrival, authentication.require(scope), ...who, ...reading, ...guards];
  };

  for (const route of routes) {
    const path = expressPath(route.path);
    const work = route.repeatable ? repeatable(`${route.method.toUpperCase()} ${path}`, route.run) : route.run;
    router[route.method](path, inTurn(...before(route), answering(work, log, route.failed)));
  }
}
