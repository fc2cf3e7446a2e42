/**
 * Mounts routes on a router, each behind the same steps: authentication, limits, permission re-check, body. The key is
 * checked before the body is read, and counted before it is parsed.
 */
import type { RequestHandler, Router } from "express";
import type { Log } from "../../engine/ports/log.ts";
import type { Authentication } from "../middleware/auth.ts";
import { type IdempotencyParts, idempotency } from "../middleware/idempotency.ts";
import { type PermissionRecheckParts, permissionRecheck } from "../middleware/permission-recheck.ts";
import { writeLimit } from "../middleware/rate-limit.ts";
import { boundBodies } from "../server/bodies-under-way.ts";
import { inTurn } from "../server/in-turn.ts";
import type { LoggedRoute } from "../server/request-log.ts";
import { answering, failure, send } from "./answer.ts";
import { counted, jsonBody, othersFirst, rawBody } from "./body.ts";
import { MAX_BYTES_UNDER_WAY } from "./limits.ts";
import { expressPath, mountedPath, type Route } from "./route.ts";
import { isOfServer, takesBody, writes } from "./shared-answers.ts";

export interface MountParts extends IdempotencyParts, PermissionRecheckParts {
  readonly service: IdempotencyParts["service"] & PermissionRecheckParts["service"];
  readonly authentication: Authentication;
  readonly log: Log;
}

export function mount(router: Router, routes: readonly Route[], parts: MountParts, logged: LoggedRoute): void {
  const { authentication, log } = parts;
  const limit = writeLimit(parts.clock.now);
  const stands = permissionRecheck(parts);
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
    return [logged(path, quiet), ...known, ...reading, ...guards];
  };

  for (const route of routes) {
    const path = expressPath(route.path);
    const work = route.repeatable ? repeatable(`${route.method.toUpperCase()} ${path}`, route.run) : route.run;
    router[route.method](mountedPath(route.path), inTurn(...before(route), answering(work, log, route.failed)));
  }
  // a path that names things by themselves comes before one that takes any name
  const paths = [...new Set(routes.map((route) => route.path))].sort(
    (a, b) => Number(a.includes("{")) - Number(b.includes("{")),
  );
  for (const path of paths) router.all(mountedPath(path), inTurn(logged(path), wrongMethod(path, routes)));
}

/** Of a path that is there under other methods. OPTIONS asks for these; browsers of other sites get no leave by it. */
function wrongMethod(path: string, routes: readonly Route[]): RequestHandler {
  const methods = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  return (request, response) => {
    if (request.method === "OPTIONS") return send(request, response, { status: 204, headers: { Allow: allow } });
    const sentence = `${request.method} is not for ${path}; it takes ${allow}.`;
    send(request, response, failure(405, "method_not_allowed", sentence, { Allow: allow }));
  };
}
