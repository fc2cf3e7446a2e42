/**
 * Rate limits: a number of requests per window and key, beyond which the answer is 429 with `Retry-After`. Reports what
 * is left of every limit in the headers of draft 8 (`RateLimit`, `RateLimit-Policy`). Not express-rate-limit: its
 * promises and hashes cost a third of an Express route per request, and it has no injectable clock.
 */
import type { Request, RequestHandler } from "express";
import { LRUCache } from "lru-cache";
import { failure, send } from "../routing/answer.ts";
import { MAX_COUNTED, PER_PROJECT_AND_HOUR, WRITES_PER_MINUTE } from "../routing/limits.ts";
import { principalOf } from "./auth.ts";

declare global {
  namespace Express {
    interface Request {
      /** Values of the two headers so far. */
      rate_limit?: { readonly policy: string; readonly left: string };
    }
  }
}

export interface RateLimit {
  /** Under which it speaks of itself in the headers. */
  readonly name: string;
  readonly most: number;
  readonly window_ms: number;
  /** Whose request this is. */
  readonly keyOf: (request: Request) => string;
  /** For whom has sent too many. */
  readonly sentence: string;
  /** Answers by which nothing came of a request: it does not count. */
  readonly uncounted?: readonly number[];
}

interface Counted {
  count: number;
  readonly ends_at: number;
}

export function rateLimit(limit: RateLimit, now: () => number): RequestHandler {
  const { name, most, window_ms, keyOf, sentence, uncounted = [] } = limit;
  // `max` would allocate room for all of them at once
  const windows = new LRUCache<string, Counted>({ maxSize: MAX_COUNTED, sizeCalculation: () => 1 });
  const policy = `"${name}"; q=${most}; w=${window_ms / 1_000}`;

  const count = (key: string, at: number): Counted => {
    let counted = windows.get(key);
    if (counted === undefined || counted.ends_at <= at) {
      counted = { count: 0, ends_at: at + window_ms };
      windows.set(key, counted);
    }
    counted.count++;
    return counted;
  };

  return (request, response, next) => {
    const at = now();
    const counted = count(keyOf(request), at);
    const seconds = Math.ceil((counted.ends_at - at) / 1_000);
    const left = `"${name}"; r=${Math.max(0, most - counted.count)}; t=${seconds}`;
    const others = request.rate_limit;
    request.rate_limit =
      others === undefined
        ? { policy, left }
        : { policy: `${others.policy}, ${policy}`, left: `${others.left}, ${left}` };
    if (counted.count <= most) {
      if (uncounted.length > 0)
        response.once("finish", () => {
          if (uncounted.includes(response.statusCode)) counted.count--;
        });
      next();
    } else send(request, response, failure(429, "rate_limited", sentence, { "Retry-After": String(seconds) }));
  };
}

/** Stands behind authentication: the key is what is counted. */
export const writeLimit = (now: () => number): RequestHandler =>
  rateLimit(
    {
      name: "writes",
      most: WRITES_PER_MINUTE,
      window_ms: 60_000,
      keyOf: (request) => principalOf(request).key_id ?? "root",
      sentence: `More than ${WRITES_PER_MINUTE} writes a minute; wait and try again.`,
    },
    now,
  );

/** What a project may ask for in an hour in the agent v2 dialect, whoever asks; what the job's state forbids is not counted. */
export const projectLimit = (
  what: "creates" | "messages",
  projectOf: (request: Request) => { readonly name: string },
  now: () => number,
): RequestHandler =>
  rateLimit(
    {
      name: what,
      most: PER_PROJECT_AND_HOUR,
      window_ms: 3_600_000,
      keyOf: (request) => projectOf(request).name.toLowerCase(),
      sentence: `More than ${PER_PROJECT_AND_HOUR} ${what} an hour for this project; wait and try again.`,
      uncounted: [409],
    },
    now,
  );
