/** Who has given the token of the server's start: known from then on by a cookie of an hour. */
import type { Request, Response } from "express";
import * as z from "zod";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";
import { createAuthThrottle } from "../middleware/wrong-key-throttling.ts";
import { sealedCookie } from "../pages/sealed-cookie.ts";
import type { OneTimeToken } from "./one-time-token.ts";
import { browsedAt, type Page, show } from "./page.ts";
import { tokenPage } from "./pages.ts";

/** As long as GitHub keeps what it has made. */
export const SET_UP_LIFE_MS = 3_600_000;

const WRONG_TOKEN =
  "That is not the token. The server has printed it at its start, on a line that begins with “No App yet”.";
const SPENT_TOKEN = "That token was used already, and it works once. Start the server again: it prints another.";
export const TOO_MANY_GUESSES = "Too many wrong tokens came from your address; wait a minute and try again.";

interface SessionParts {
  readonly token: OneTimeToken;
  readonly box: SealedBox;
  readonly now: () => number;
}

export interface Sessions {
  begin(request: Request, response: Response): void;
  /** Answers with the page for the token where nobody has given it. */
  require(request: Request, response: Response): boolean;
}

/** Whoever had the token: known by a cookie that goes along with requests of our own pages alone. */
export function sessions({ box, now }: SessionParts): Sessions {
  const cookie = (secure: boolean) =>
    sealedCookie({
      ...{ name: "journeyman-setup", path: "/setup", life_ms: SET_UP_LIFE_MS, schema: z.literal("begun"), box, now },
      ...{ secure, same_site: "Strict" },
    });
  return {
    begin(request, response) {
      response.append("Set-Cookie", cookie(browsedAt(request).startsWith("https:")).seal("begun"));
    },
    require(request, response) {
      if (cookie(false).open(request.headers.cookie) !== null) return true;
      show(response, 401, tokenPage(null));
      return false;
    },
  };
}

export function tokenRoutes(page: Page, { token, now }: SessionParts, session: Sessions): void {
  const throttle = createAuthThrottle(now);
  page("post", "/setup/token", (request, response) => {
    const tooMany = throttle.refusal(request, null);
    if (tooMany !== null) {
      response.set(tooMany.headers);
      return show(response, tooMany.status, tokenPage(TOO_MANY_GUESSES));
    }
    const typed = z.object({ token: z.string() }).safeParse(request.body);
    const taken = token.take(typed.success ? typed.data.token.trim() : "");
    if (taken !== "taken") {
      throttle.failed(request);
      return show(response, 401, tokenPage(taken === "spent" ? SPENT_TOKEN : WRONG_TOKEN));
    }
    session.begin(request, response);
    response.set("Cache-Control", "no-store").redirect(303, "/setup");
  });
}
