/**
 * `/keys`: people who may write to a repository sign in with GitHub and get a key for it. The flow has no session: an
 * encrypted cookie carries the state between two requests, and no person's token is stored. Every failure ends in a
 * page with a sentence, without a key.
 */
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import * as z from "zod";
import type { Log } from "../../engine/ports/log.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";
import type { SignIn } from "../../engine/ports/sign-in.ts";
import type { AuthThrottle } from "../middleware/wrong-key-throttling.ts";
import { formPageHeaders } from "../pages/page-headers.ts";
import { sealedCookie } from "../pages/sealed-cookie.ts";
import { clientAddress } from "../server/client-address.ts";
import { inTurn } from "../server/in-turn.ts";
import { identify, type LoggedRoute, requestId } from "../server/request-log.ts";
import { BEGUN_ELSEWHERE, begunSchema, type IssueKeyParts, issueKey, type Refused, whoWishes } from "./issue-key.ts";
import { signInRequestOf } from "./key-request.ts";
import { formPage, sentencePage } from "./pages.ts";

export interface SignInRouteParts extends Omit<IssueKeyParts, "sign_in" | "public_url"> {
  /** Null where the settings name no client of the App. */
  readonly sign_in: SignIn | null;
  readonly authThrottle: AuthThrottle;
  readonly box: SealedBox;
  readonly public_url: string | null;
  readonly github_web_url: string;
  readonly log: Log;
}

/** From the form to the way back; after that one begins again. */
export const SIGN_IN_LIFE_MS = 600_000;
/** A form has a repository and a few words. */
const FORM_LIMIT = "4kb";

const NOT_SET_UP =
  "Nobody can sign in here yet: this server has no GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET and PUBLIC_URL. Journeyman's docs/api.md says how to set them, under “Keys by signing in”; until then, whoever runs the server makes keys.";
const FOREIGN = "This form was not sent from our own page; open the page and send it from there.";
const UNREADABLE = "The form could not be read; send it from our page.";
const UNREACHABLE = "GitHub could not be asked just now, so no key was made; try again in a minute.";
const INTERNAL = "Something went wrong on our side, and no key was made.";
const TOO_MANY_GUESSES = "Too many sign-ins from your address went wrong; wait a minute and begin again.";

/** What the reader of bodies objects to. */
const callersSlip = z.object({ type: z.string(), status: z.number().min(400).max(499) });

type Parts = SignInRouteParts & IssueKeyParts;

function headers(parts: SignInRouteParts) {
  const ours = parts.public_url === null ? [] : [new URL(parts.public_url).origin];
  // without any referrer, browsers would not say either that a form comes from our own page
  return formPageHeaders([...ours, new URL(parts.github_web_url).origin], "same-origin");
}

function show(response: Response, status: number, page: string): void {
  response.status(status).set("Cache-Control", "no-store").type("text/html").send(page);
}

/** A page of somebody else must not sign people in to keys that they never asked for. */
function isForeign({ headers }: Request, public_url: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin";
  return headers.origin !== undefined && headers.origin !== new URL(public_url).origin;
}

/** Puts handlers behind what stands before every page. */
type Page = (method: "get" | "post", path: string, ...handlers: readonly RequestHandler[]) => void;

export function signInRoutes(router: Router, given: SignInRouteParts, logged: LoggedRoute): void {
  const guard = headers(given);
  const { sign_in, public_url } = given;
  const failed: ErrorRequestHandler = (error, request, response, _next) => {
    const slip = callersSlip.safeParse(error);
    if (slip.success) return show(response, slip.data.status, sentencePage(UNREADABLE, `${public_url ?? ""}/keys`));
    given.log.error({ request: requestId(request), err: error }, "a page failed");
    show(response, 500, sentencePage(INTERNAL, `${public_url ?? ""}/keys`));
  };
  const page: Page = (method, path, ...handlers) => {
    const all = inTurn(logged(path), identify, guard, ...handlers);
    router[method](path, (request, response, next) => {
      all(request, response, (error?: unknown) => {
        if (error === undefined) next();
        else failed(error, request, response, next);
      });
    });
  };
  if (sign_in === null || public_url === null) {
    const notSetUp: RequestHandler = (_request, response) => show(response, 404, sentencePage(NOT_SET_UP, null));
    page("get", "/keys", notSetUp);
    page("post", "/keys", notSetUp);
    page("get", "/keys/callback", notSetUp);
  } else flow(page, { ...given, sign_in, public_url });
}

function flow(page: Page, parts: Parts): void {
  const address = `${parts.public_url}/keys`;
  const cookie = sealedCookie({
    name: "journeyman-sign-in",
    path: new URL(address).pathname,
    secure: address.startsWith("https:"),
    same_site: "Lax",
    life_ms: SIGN_IN_LIFE_MS,
    schema: begunSchema,
    box: parts.box,
    now: parts.now,
  });
  const refuse = (response: Response, status: number, sentence: string): void =>
    show(response, status, sentencePage(sentence, address));

  page("get", "/keys", (request, response) => {
    const { repository } = request.query;
    show(response, 200, formPage(address, typeof repository === "string" ? repository : ""));
  });

  page("post", "/keys", express.urlencoded({ extended: false, limit: FORM_LIMIT }), async (request, response) => {
    if (isForeign(request, parts.public_url)) return refuse(response, 403, FOREIGN);
    const asked = signInRequestOf(request.body);
    if ("sentence" in asked) return refuse(response, 400, asked.sentence);
    const { address: to, state, verifier } = await parts.sign_in.begin();
    const begun = cookie.seal({ state, verifier, key_request: asked.key_request });
    response.set("Cache-Control", "no-store").append("Set-Cookie", begun);
    response.redirect(303, to);
  });

  page("get", "/keys/callback", async (request, response) => {
    const tooMany = parts.authThrottle.refusal(request, null);
    if (tooMany !== null) {
      response.set(tooMany.headers);
      return refuse(response, tooMany.status, TOO_MANY_GUESSES);
    }
    const begun = cookie.open(request.headers.cookie);
    response.append("Set-Cookie", cookie.gone);
    if (begun === null) {
      parts.authThrottle.failed(request);
      return refuse(response, 400, BEGUN_ELSEWHERE);
    }
    const parameters = new URL(request.originalUrl, parts.public_url).searchParams;
    const who = await whoWishes(parts, parameters, begun).catch((error: unknown): Refused => {
      parts.log.warn({ request: requestId(request), err: error }, "GitHub could not be asked who somebody is");
      return { status: 502, sentence: UNREACHABLE };
    });
    if ("sentence" in who && who.status === 400) parts.authThrottle.failed(request);
    const via = { key_id: null, address: clientAddress(request), request_id: requestId(request) };
    const outcome = "login" in who ? await issueKey(parts, begun.key_request, who, via) : who;
    if ("sentence" in outcome) refuse(response, outcome.status, outcome.sentence);
    else show(response, 200, outcome.page);
  });
}
