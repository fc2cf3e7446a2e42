/**
 * One line a request: id, method, path, status, milliseconds. Never a query, a header or a body, since keys and tasks
 * travel in those. Stands in front of every route, so it must cost next to nothing.
 */
import { performance } from "node:perf_hooks";
import type { Request, RequestHandler, Response } from "express";
import type { Log } from "../engine/ports.ts";
import type { Timed } from "./metrics.ts";
import { requestIds } from "./request-id.ts";

declare global {
  namespace Express {
    interface Request {
      /** Under which this request stands in the log. */
      logged_as?: string;
    }
  }
}

export const requestId = (request: Request): string => request.logged_as ?? "unknown";

/** For pages, which are no answers of the API and do not say it by themselves. */
export const identify: RequestHandler = (request, response, next) => {
  response.set("X-Request-Id", request.logged_as);
  next();
};

/** What stands first on a route. `route`: its path with the names of its parameters; a quiet one is logged at `debug`. */
export type Arrival = (route: string, quiet?: boolean) => RequestHandler;

/** A request that no route knows. */
export const NO_ROUTE = "none";

export function requestLog(log: Log, timed: Timed): Arrival {
  const idOf = requestIds();

  const over = (request: Request, response: Response, begun: number, quiet: boolean): number => {
    const ms = Math.round((performance.now() - begun) * 10) / 10;
    const { method, originalUrl } = request;
    const query = originalUrl.indexOf("?");
    const path = query < 0 ? originalUrl : originalUrl.slice(0, query);
    const facts = { request: request.logged_as, method, path, status: response.statusCode, ms };
    const level = quiet ? "debug" : "info";
    if (response.writableFinished) log[level](facts, "request");
    else log[level](facts, "request aborted");
    return ms;
  };

  return (route, quiet = false) => {
    const timer = timed(route);
    return (request, response, next) => {
      // an error on the way to a route comes here a second time
      if (request.logged_as === undefined) {
        const begun = performance.now();
        request.logged_as = idOf(request);
        response.once("close", () => {
          const ms = over(request, response, begun, quiet);
          timer(request.method, response.writableFinished ? response.statusCode : null, ms);
        });
      }
      next();
    };
  };
}
