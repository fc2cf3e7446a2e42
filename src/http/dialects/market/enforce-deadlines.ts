/** `GET /api/cron/enforce-deadlines`: for an external scheduler, authenticated by `CRON_SECRET`. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Request } from "express";
import * as z from "zod";
import type { Secret } from "../../../contracts/secret.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import type { AuthThrottle } from "../../middleware/wrong-key-throttling.ts";
import { failure, type HttpResult, success, UNAUTHORIZED } from "../../routing/answer.ts";
import { type Route, route } from "../../routing/route.ts";

export interface CronParts {
  readonly service: Pick<JobService, "enforceDeadlines">;
  /** Null: nobody may call. */
  readonly cron_secret: Secret | null;
  readonly authThrottle: AuthThrottle;
}

const NOT_SET_UP = failure(
  501,
  "not_set_up",
  "CRON_SECRET is not set, so nobody may call this; set it, or leave deadlines to the server's own clock.",
);
const REFUSED = { ...UNAUTHORIZED, headers: { "WWW-Authenticate": "Bearer" } };

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

/** Null: the caller is the scheduler. A wrong secret counts as a wrong key does. */
function refusal(request: Request, secret: Secret, authThrottle: AuthThrottle): HttpResult | null {
  const [, given] = /^bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const bytes = given === undefined ? null : digest(given.trim());
  const shown = bytes?.toString("hex") ?? null;
  const tooMany = authThrottle.refusal(request, shown);
  if (tooMany !== null) return tooMany;
  if (bytes === null || shown === null) return REFUSED;
  const good = timingSafeEqual(bytes, digest(secret.reveal()));
  if (good) authThrottle.succeeded(request, shown);
  else authThrottle.failed(request);
  return good ? null : REFUSED;
}

export const enforceDeadlines = ({ service, cron_secret, authThrottle }: CronParts): Route =>
  route({
    method: "get",
    path: "/api/cron/enforce-deadlines",
    operation: "enforceDeadlines",
    group: "market",
    summary: "Release holds and fail attempts whose time is over",
    about: "`Authorization: Bearer $CRON_SECRET`. The server does the same by its own clock; both at once do no harm.",
    scope: null,
    answers: {
      200: {
        about: "How many there were.",
        schema: z.object({ released_holds: z.number().int(), missed_deadlines: z.number().int() }),
        example: { released_holds: 0, missed_deadlines: 0 },
      },
      401: { about: "The secret is missing or wrong.", codes: ["unauthorized"] },
      429: {
        about: "Too many wrong secrets or keys from this address.",
        codes: ["too_many_guesses"],
        headers: { "Retry-After": "In how many seconds to come again." },
      },
      501: { about: "CRON_SECRET is not set.", codes: ["not_set_up"] },
    },
    async work({ request }) {
      if (cron_secret === null) return NOT_SET_UP;
      const refused = refusal(request, cron_secret, authThrottle);
      return refused ?? success(200, await service.enforceDeadlines(), { "Cache-Control": "no-store" });
    },
  });
