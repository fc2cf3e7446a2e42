/**
 * Where GitHub delivers: reads the raw body within GitHub's own bound and hands it to Octokit's middleware, which
 * checks the signature and parses. Stands in front of everything else, since most requests are deliveries.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { Webhooks } from "@octokit/webhooks";
import { createNodeMiddleware } from "@octokit/webhooks";
import { MAX_DELIVERY_BYTES } from "./limits.ts";
import type { Timed, Timer } from "./metrics.ts";
import { requestIds } from "./request-id.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export const WEBHOOK_PATH = "/api/github/webhooks";

type Next = (request: IncomingMessage, response: ServerResponse) => void;

/** Probot's set-up page registers the server's root as the place for deliveries, so a POST there counts as one. */
const isDelivery = (request: IncomingMessage): boolean =>
  request.method === "POST" &&
  (request.url === WEBHOOK_PATH || (request.url === "/" && request.headers["x-github-event"] !== undefined));

function tooLarge(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(413, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: "A delivery has at most 25 MB.", code: "body_too_large" }));
  request.resume();
}

/** Octokit logs whole errors, payload included; Probot's error handler tells us the same without. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** GitHub's own number of the delivery is the request's id: both logs then speak of the same. */
const idOf = requestIds("x-github-delivery");

const HEADERS = new Map(Object.entries(SECURITY_HEADERS));

/** What every answer carries, and the note of how long it took. */
function arrive(request: IncomingMessage, response: ServerResponse, timer: Timer): void {
  const begun = performance.now();
  response.setHeaders(HEADERS);
  response.setHeader("X-Request-Id", idOf(request));
  response.once("close", () => {
    const status = response.writableFinished ? response.statusCode : null;
    timer("POST", status, performance.now() - begun);
  });
}

export function webhookPath(webhooks: Webhooks, next: Next, timed: Timed): Next {
  const timer = timed(WEBHOOK_PATH);
  const middleware = createNodeMiddleware(webhooks, { path: WEBHOOK_PATH, log: silent });

  const deliver = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    // the middleware takes a body that is there for the raw one
    Object.assign(request, { body, url: WEBHOOK_PATH });
    middleware(request, response).catch(() => {
      // a signed payload that is no object; the middleware does not expect that
      if (!response.headersSent) response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "The payload is not a JSON object.", code: "invalid_json" }));
    });
  };

  return (request, response) => {
    if (!isDelivery(request)) return next(request, response);
    arrive(request, response, timer);
    if (Number(request.headers["content-length"] ?? 0) > MAX_DELIVERY_BYTES) return tooLarge(request, response);
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_DELIVERY_BYTES) chunks.push(chunk);
    });
    request.once("end", () => {
      if (size > MAX_DELIVERY_BYTES) tooLarge(request, response);
      else deliver(request, response, Buffer.concat(chunks).toString("utf8"));
    });
  };
}
