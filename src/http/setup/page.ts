/** What stands before every page of the set-up: headers, the log, and that forms come from our own pages. */
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import * as z from "zod";
import type { Log } from "../../engine/ports/log.ts";
import { formPageHeaders } from "../pages/page-headers.ts";
import { identify, type LoggedRoute, requestId } from "../server/request-log.ts";
import { sentencePage } from "./pages.ts";

const FORM_LIMIT = "4kb";

const FOREIGN = "This form was not sent from our own page; open the page and send it from there.";
const UNREADABLE = "The form could not be read; send it from our page.";
const INTERNAL = "Something went wrong on our side; the server's log says what.";

/** What the reader of bodies objects to. */
const callersSlip = z.object({ type: z.string(), status: z.number().min(400).max(499) });

/** The address by which the browser has come here, whatever stands in between. */
export function browsedAt({ headers, protocol }: Request): string {
  const { origin, host = "localhost" } = headers;
  const given = origin !== undefined && URL.canParse(origin) ? new URL(origin) : null;
  return given !== null && /^https?:$/.test(given.protocol) ? given.origin : `${protocol}://${host}`;
}

function isForeign({ headers }: Request): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin";
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

export function show(response: Response, status: number, page: string): void {
  response.status(status).set("Cache-Control", "no-store").type("text/html").send(page);
}

/** GitHub learns where its form was sent from, and never a path. */
const guard = (github_web_url: string): RequestHandler =>
  formPageHeaders([new URL(github_web_url).origin], "strict-origin");

export type Page = (method: "get" | "post", path: string, handler: RequestHandler) => void;

/** Puts a handler behind what stands before every page; a form is read, and was sent from our own page. */
export function pageOn(
  server: Express,
  { github_web_url, log }: { readonly github_web_url: string; readonly log: Log },
  logged: LoggedRoute,
): Page {
  const headers = guard(github_web_url);
  const failed: ErrorRequestHandler = (error, request, response, _next) => {
    const slip = callersSlip.safeParse(error);
    if (slip.success) return show(response, slip.data.status, sentencePage(UNREADABLE, true));
    log.error({ request: requestId(request), err: error }, "a page failed");
    show(response, 500, sentencePage(INTERNAL, true));
  };
  const own: RequestHandler = (request, response, next) => {
    if (isForeign(request)) show(response, 403, sentencePage(FOREIGN, true));
    else next();
  };
  const form = [own, express.urlencoded({ extended: false, limit: FORM_LIMIT })];
  return (method, path, handler) => {
    server[method](path, logged(path), identify, headers, ...(method === "post" ? form : []), handler, failed);
  };
}
