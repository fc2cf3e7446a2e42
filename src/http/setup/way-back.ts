/** The way back from GitHub: the App's credentials are claimed once and kept. */
import { timingSafeEqual } from "node:crypto";
import type { Response } from "express";
import type { AppRegistration, RegisteredApp } from "../../engine/ports/app-registration.ts";
import type { Log } from "../../engine/ports/log.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";
import { createAuthThrottle } from "../middleware/wrong-key-throttling.ts";
import { beginnings } from "./app-form.ts";
import { type Page, show } from "./page.ts";
import { madePage, sentencePage, unkeptPage } from "./pages.ts";
import { type Sessions, TOO_MANY_GUESSES } from "./session.ts";

export interface Where {
  readonly public_url: string;
  readonly webhook_proxy_url: string | null;
}

export interface ReturnParts {
  readonly registration: AppRegistration;
  /** Keeps the App for good; throws where that cannot be done. */
  readonly keep: (app: RegisteredApp, where: Where) => void;
  readonly box: SealedBox;
  readonly log: Log;
  readonly now: () => number;
}

const CODE = /^[\w-]{1,200}$/;

const BEGUN_ELSEWHERE =
  "This set-up was not begun in this browser, or more than an hour ago. An App that GitHub has made just now can be deleted there.";
const UNKNOWN_CODE =
  "GitHub does not know this App any more: it hands its credentials over once, within an hour. Delete the App at GitHub and make another.";
const UNREACHABLE = "GitHub could not be asked just now; load this page again in a minute.";
const UNDER_WAY = "The App is being fetched from GitHub already; load this page again in a moment.";

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

export type Progress = ReturnType<typeof createProgress>;

/** From GitHub's code to an App that is kept: once, and whatever was claimed is not lost when it cannot be kept. */
export function createProgress(parts: ReturnParts, done: () => void) {
  let claimed: { readonly app: RegisteredApp; readonly where: Where } | null = null;
  let kept = false;
  let claiming = false;

  /** The page that says how it went. */
  const keep = (response: Response): void => {
    if (claimed === null) {
      show(response, 400, sentencePage(BEGUN_ELSEWHERE, true));
      return;
    }
    const { app, where } = claimed;
    try {
      if (!kept) parts.keep(app, where);
    } catch (error) {
      parts.log.error({ err: error }, "the App's credentials could not be kept");
      show(response, 500, unkeptPage());
      return;
    }
    kept = true;
    show(response, 200, madePage({ name: app.name, install_url: `${app.page_url}/installations/new` }));
    done();
  };

  const claim = async (code: string, where: Where): Promise<"claimed" | "busy" | "unknown" | "away"> => {
    if (claimed !== null) return "claimed";
    if (claiming) return "busy";
    claiming = true;
    try {
      const app = await parts.registration.claim(code);
      if (app === null) return "unknown";
      claimed = { app, where };
      return "claimed";
    } catch (error) {
      parts.log.warn({ err: error }, "GitHub could not be asked for the App's credentials");
      return "away";
    } finally {
      claiming = false;
    }
  };
  return { keep, claim };
}

export function returnRoutes(page: Page, parts: ReturnParts, session: Sessions, progress: Progress): void {
  const throttle = createAuthThrottle(parts.now);

  page("get", "/setup/callback", async (request, response) => {
    const tooMany = throttle.refusal(request, null);
    if (tooMany !== null) {
      response.set(tooMany.headers);
      return show(response, tooMany.status, sentencePage(TOO_MANY_GUESSES, false));
    }
    const cookie = beginnings(parts, false);
    const begun = cookie.open(request.headers.cookie);
    const { searchParams } = new URL(request.originalUrl, "http://localhost");
    const [code, state] = [searchParams.get("code") ?? "", searchParams.get("state") ?? ""];
    if (begun === null || !same(state, begun.state) || !CODE.test(code)) {
      throttle.failed(request);
      return show(response, 400, sentencePage(BEGUN_ELSEWHERE, true));
    }
    const { public_url, webhook_proxy_url } = begun;
    const outcome = await progress.claim(code, { public_url, webhook_proxy_url });
    if (outcome === "busy") return show(response, 409, sentencePage(UNDER_WAY, false));
    if (outcome === "away") return show(response, 502, sentencePage(UNREACHABLE, false));
    response.append("Set-Cookie", cookie.gone);
    if (outcome === "unknown") return show(response, 400, sentencePage(UNKNOWN_CODE, true));
    progress.keep(response);
  });

  page("post", "/setup/keep", (request, response) => {
    if (session.require(request, response)) progress.keep(response);
  });
}
