/** How many writes a key may send; more are answered with 429 and `Retry-After`. Reads cost little and are not counted. */
import type { RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import { failure, send } from "./answer.ts";
import { principalOf } from "./auth.ts";

const WINDOW_MS = 60_000;
/** Far above what GitHub lets one installation create; it stops loops, not people. */
export const WRITES_PER_MINUTE = 600;

/** Stands behind authentication: the key is what is counted. */
export const writeLimit = (): RequestHandler =>
  rateLimit({
    windowMs: WINDOW_MS,
    limit: WRITES_PER_MINUTE,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    keyGenerator: (request) => principalOf(request).key_id ?? "root",
    handler: (request, response) => {
      send(
        request,
        response,
        failure(429, "rate_limited", `More than ${WRITES_PER_MINUTE} writes a minute; wait and try again.`),
      );
    },
  });
