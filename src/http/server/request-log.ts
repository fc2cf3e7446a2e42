/**
 * Logs one line per request: id, method, path, status, milliseconds, caller and job. Never query, headers or body,
 * since keys and tasks travel in those. Runs before every route, so it must be cheap.
 */
import { performance } from "node:perf_hooks";
import type { Request, RequestHandler, Response } from "express";
import { asJobId, type JobId } from "../../domain/job/job.ts";
import type { LogFacts } from "../../domain/job/log-fields.ts";
import type { Log } from "../../engine/ports/log.ts";
import { cut } from "../../text/text.ts";
import type { Timed } from "../admin/metrics.ts";
import { requestIds } from "./request-id.ts";

declare global {
  namespace Express {
    interface Request {
      /** Under which this request stands in the log. */
      logged_as?: string;
      /** The `code` of the error that it was answered with. */
      error_code?: string;
      /** The job that it has made or found. */
      about_job?: JobId;
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
export type LoggedRoute = (route: string, quiet?: boolean) => RequestHandler;

/** A request that no route knows. */
export const NO_ROUTE = "none";

const LONGEST_PATH = 200;

/** Where in the path of a route its job stands; -1: it names none. */
const placeOfJob = (route: string): number =>
  route
    .split("/")
    .findIndex((part, at, all) => part === "{job_id}" || (part === "{id}" && /^jobs?$/.test(all[at - 1] ?? "")));

function jobOf(request: Request, path: string, place: number): JobId | undefined {
  if (request.about_job !== undefined) return request.about_job;
  // Express parses the query each time that it is asked for
  if (place < 0 && path.length === request.originalUrl.length) return undefined;
  const named = place < 0 ? request.query.job_id : path.split("/")[place];
  return typeof named === "string" ? (asJobId(named) ?? undefined) : undefined;
}

function whoOf({ principal, run_caller }: Request): LogFacts {
  if (principal !== undefined) return { account: principal.account, key: principal.key_id ?? "API_KEY" };
  return { account: run_caller?.stored.job.account };
}

export function requestLog(log: Log, timed: Timed): LoggedRoute {
  const idOf = requestIds();

  const over = (request: Request, response: Response, begun: number, quiet: boolean, place: number): number => {
    const ms = Math.round((performance.now() - begun) * 10) / 10;
    const { method, originalUrl } = request;
    const query = originalUrl.indexOf("?");
    const path = query < 0 ? originalUrl : originalUrl.slice(0, query);
    const facts: LogFacts = {
      ...{ request: request.logged_as, method, path: cut(path, LONGEST_PATH), status: response.statusCode, ms },
      job: jobOf(request, path, place),
      ...whoOf(request),
      error_code: request.error_code,
    };
    const level = quiet ? "debug" : "info";
    if (response.writableFinished) log[level](facts, "request");
    else log[level](facts, "request aborted");
    return ms;
  };

  return (route, quiet = false) => {
    const timer = timed(route);
    const place = placeOfJob(route);
    return (request, response, next) => {
      // an error on the way to a route comes here a second time
      if (request.logged_as === undefined) {
        const begun = performance.now();
        request.logged_as = idOf(request);
        response.once("close", () => {
          const ms = over(request, response, begun, quiet, place);
          timer(request.method, response.writableFinished ? response.statusCode : null, ms);
        });
      }
      next();
    };
  };
}
