/** `GET /api/cron/enforce-deadlines`: for a scheduler that wants to be sure. Knows its caller by `CRON_SECRET`. */
import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Door } from "../engine/door.ts";
import type { Secret } from "../wire/secret.ts";
import { failure, success, UNAUTHORIZED } from "./answer.ts";
import { type Route, route } from "./route.ts";

export interface CronParts {
  readonly door: Pick<Door, "enforceDeadlines">;
  /** Null: nobody may call. */
  readonly cron_secret: Secret | null;
}

const NOT_SET_UP = failure(
  501,
  "not_set_up",
  "CRON_SECRET is not set, so nobody may call this; set it, or leave deadlines to the server's own clock.",
);
const REFUSED = { ...UNAUTHORIZED, headers: { "WWW-Authenticate": "Bearer" } };

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

const isSecret = (header: string | undefined, secret: Secret): boolean => {
  const [, given] = /^bearer (.+)$/i.exec(header ?? "") ?? [];
  return given !== undefined && timingSafeEqual(digest(given.trim()), digest(secret.reveal()));
};

export const enforceDeadlines = ({ door, cron_secret }: CronParts): Route =>
  route({
    method: "get",
    path: "/api/cron/enforce-deadlines",
    operation: "enforceDeadlines",
    group: "market",
    summary: "Release holds and fail tries whose time is over",
    about: "`Authorization: Bearer $CRON_SECRET`. The server does the same by its own clock; both at once do no harm.",
    scope: null,
    answers: {
      200: {
        about: "How many there were.",
        schema: z.object({ released_holds: z.number().int(), missed_deadlines: z.number().int() }),
        example: { released_holds: 0, missed_deadlines: 0 },
      },
      401: { about: "The secret is missing or wrong.", codes: ["unauthorized"] },
      501: { about: "CRON_SECRET is not set.", codes: ["not_set_up"] },
    },
    async work({ request }) {
      if (cron_secret === null) return NOT_SET_UP;
      if (!isSecret(request.headers.authorization, cron_secret)) return REFUSED;
      return success(200, await door.enforceDeadlines(), { "Cache-Control": "no-store" });
    },
  });
