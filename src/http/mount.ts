/**
 * Puts routes on the router: what stands before the work of each is decided here, the same for all. The key is known
 * before the body is read, and counted before it is parsed.
 */
import type { RequestHandler, Router } from "express";
import type { Log } from "../engine/ports.ts";
import { answering } from "./answer.ts";
import type { Authentication } from "./auth.ts";
import { boundBodies } from "./bodies-under-way.ts";
import { counted, jsonBody, othersFirst, rawBody } from "./body.ts";
import { type IdempotencyParts, idempotency } from "./idempotency.ts";
import { inTurn } from "./in-turn.ts";
import { MAX_BYTES_UNDER_WAY } from "./limits.ts";
import { writeLimit } from "./rate-limit.ts";
import type { Arrival } from "./request-log.ts";
import { type StandingParts, standing } from "./standing.ts";
import { expressPath, type Route } from "./route.ts";
import { isOfServer, takesBody, writes } from "./shared-answers.ts";

export interface MountParts extends IdempotencyParts, StandingParts {
  readonly door: IdempotencyParts["door"] & StandingParts["door"];
  readonly authentication: Authentication;
  readonly log: Log;
}

export function mount(router: Router, routes: readonly Route[], parts: MountParts, arrival: Arrival): void {
  const { authentication, log } = parts;
  const limit = writeLimit(parts.clock.now);
  const stands = standing(parts);
  const hold = boundBodies(MAX_BYTES_UNDER_WAY);
  const repeatable = idempotency(parts);

  const before = (route: Route): RequestHandler[] => {
    const { path, scope, lasting, quiet, raw, callers = [], max_body_bytes, guards = [] } = route;
    const writing = writes(route) ? [limit, ...(lasting ? [] : [stands])] : [];
    // who is known by no key cannot be counted by it
    const whole = isOfServer(route) ? [authentication.unbound] : [];
    const known = scope === null ? callers : [authentication.require(scope), ...whole, ...writing];
    const reader = raw === true ? rawBody : jsonBody;
    const reading = takesBody(route) ? [counted(hold, max_body_bytes), reader(max_body_bytes), othersFirst] : [];
    return [arrival(path, quiet), ...known, ...reading, ...guards];
  };

  for (const route of routes) {
    const path = expressPath(route.path);
    const work = route.repeatable ? repeatable(`${route.method.toUpperCase()} ${path}`, route.run) : route.run;
    router[route.method](path, inTurn(...before(route), answering(work, log, route.failed)));
  }
}
