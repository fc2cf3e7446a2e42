/** How much a project may ask for in an hour in the agent v2 dialect; more is answered with 429 and `Retry-After`. */
import type { RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import { projectOf } from "./agent-v2-project.ts";
import { failure, send } from "./answer.ts";

const WINDOW_MS = 3_600_000;
export const PER_PROJECT_AND_HOUR = 100;

/** Stands behind the project, however the caller wrote it. `what` names the policy in `RateLimit`, beside the key's own. */
export const projectLimit = (what: "creates" | "messages"): RequestHandler =>
  rateLimit({
    windowMs: WINDOW_MS,
    limit: PER_PROJECT_AND_HOUR,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    identifier: what,
    keyGenerator: (request) => projectOf(request).name.toLowerCase(),
    handler: (request, response) => {
      const sentence = `More than ${PER_PROJECT_AND_HOUR} ${what} an hour for this project; wait and try again.`;
      send(request, response, failure(429, "rate_limited", sentence));
    },
  });
