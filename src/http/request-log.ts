/**
 * One line a request: id, method, path, status, milliseconds. Never a query, a header or a body, since keys and tasks
 * travel in those. Stands in front of every API route, so it must cost next to nothing.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Request, RequestHandler } from "express";
import type { Log } from "../engine/ports.ts";

/** A caller's own id is kept when it is harmless in a log and a header. */
const ACCEPTABLE_ID = /^[A-Za-z0-9_.-]{8,64}$/;

declare global {
  namespace Express {
    interface Request {
      /** Under which this request stands in the log. */
      logged_as?: string;
    }
  }
}

export const requestId = (request: Request): string => request.logged_as ?? "unknown";

export function requestLog(log: Log): RequestHandler {
  const process = randomBytes(6).toString("hex");
  let count = 0;
  return (request, response, next) => {
    const begun = performance.now();
    const given = request.headers["x-request-id"];
    const id = typeof given === "string" && ACCEPTABLE_ID.test(given) ? given : `${process}-${++count}`;
    request.logged_as = id;
    const { method, originalUrl } = request;
    response.once("close", () => {
      const ms = Math.round((performance.now() - begun) * 10) / 10;
      const query = originalUrl.indexOf("?");
      const path = query < 0 ? originalUrl : originalUrl.slice(0, query);
      const facts = { request: id, method, path, status: response.statusCode, ms };
      if (response.writableFinished) log.info(facts, "request");
      else log.info(facts, "request aborted");
    });
    next();
  };
}
