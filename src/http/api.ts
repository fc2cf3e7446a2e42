/** The whole API: its route groups, mounted on a router with the middleware before and after them. */
import type { ErrorRequestHandler, Router } from "express";
import { adminRoutes } from "./admin/routes.ts";
import { agentV2Dialect } from "./dialects/agent-v2/dialect.ts";
import { createJobDialect } from "./dialects/create-job/dialect.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { marketDialect } from "./dialects/market/dialect.ts";
import { runsDialect } from "./dialects/runs/dialect.ts";
import { pages } from "./pages/pages.ts";
import { repositoryRoutes } from "./repositories/routes.ts";
import { nothingHere, sendInternal } from "./routing/answer.ts";
import { bodyErrors } from "./routing/body.ts";
import { mount } from "./routing/mount.ts";
import type { Route } from "./routing/route.ts";
import type { RouteGroup } from "./routing/route-group.ts";
import { addressErrors } from "./server/address-errors.ts";
import { inTurn } from "./server/in-turn.ts";
import { NO_ROUTE, requestLog } from "./server/request-log.ts";
import { serverRoutes } from "./server/server-routes.ts";
import type { ApiServices } from "./services.ts";
import { signInRoutes } from "./sign-in/sign-in.ts";
import { triggerRoutes } from "./triggers/routes.ts";

/** The ones that are asked most stand first: Express looks through their routes in this order. */
export const DIALECTS: readonly Dialect[] = [createJobDialect, runsDialect, agentV2Dialect, marketDialect];

export function allRoutes(services: ApiServices): readonly Route[] {
  const groups: readonly RouteGroup[] = [
    ...DIALECTS,
    repositoryRoutes,
    triggerRoutes,
    adminRoutes,
    serverRoutes(() => ({ routes, groups })),
  ];
  const routes = groups.flatMap((group) => group.routes(services));
  return routes;
}

/** On a router at the root: one below a path would cost each request another match. */
export function mountApi(router: Router, routes: readonly Route[], services: ApiServices): void {
  const { log, metrics } = services;
  const logged = requestLog(log, metrics.timed);
  mount(router, routes, services, logged);
  pages(router, logged, services);
  signInRoutes(router, services, logged);

  const unknown = logged(NO_ROUTE);
  /** An address that cannot be read has reached no route. */
  const arriving: ErrorRequestHandler = (error, request, response, next) =>
    unknown(request, response, () => next(error));
  const internal: ErrorRequestHandler = (error, request, response, _next) => {
    sendInternal(request, response, log, error, "Internal error");
  };
  router.use(inTurn(unknown, nothingHere));
  router.use(arriving, bodyErrors, addressErrors, internal);
}
