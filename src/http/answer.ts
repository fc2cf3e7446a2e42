/**
 * What a route says, as a value: routes return one and never touch the response. The only writer of response bodies
 * for the API.
 */
import type { Request, RequestHandler, Response } from "express";
import type { Log } from "../engine/ports.ts";
import { requestId } from "./request-log.ts";

export interface Answer {
  readonly status: number;
  /** Undefined: no body. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body itself, over time, and ends it; there is no other body then. */
  readonly serve?: (response: Response) => void;
}

/** A body that goes on, under these headers. */
export const streaming = (headers: Readonly<Record<string, string>>, serve: (response: Response) => void): Answer => ({
  status: 200,
  headers,
  serve,
});

export const success = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  body,
  headers,
});

export const failure = (
  status: number,
  code: string,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, body: { error, code }, headers });

export const UNAUTHORIZED = failure(401, "unauthorized", "Unauthorized");

/**
 * What every answer carries: it is data, to be neither sniffed, framed nor run. By hand and few, since a general set of
 * headers costs a twentieth of a status read; the pages have helmet's.
 */
const SECURITY: readonly string[] = [
  ...["X-Content-Type-Options", "nosniff"],
  ...["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ...["Strict-Transport-Security", "max-age=31536000"],
];

/** All headers at once, and without Express's own `json`, which hashes each body for a tag: this is the hot path. */
export function send(request: Request, response: Response, answer: Answer): void {
  const headers = [...SECURITY];
  if (request.logged_as !== undefined) headers.push("X-Request-Id", request.logged_as);
  for (const name in answer.headers) headers.push(name, answer.headers[name] ?? "");
  if (answer.serve !== undefined) {
    response.writeHead(answer.status, headers);
    answer.serve(response);
    return;
  }
  if (answer.body === undefined) {
    response.writeHead(answer.status, headers).end();
    return;
  }
  const text = JSON.stringify(answer.body);
  headers.push("Content-Type", "application/json; charset=utf-8", "Content-Length", String(Buffer.byteLength(text)));
  response.writeHead(answer.status, headers).end(text);
}

/** Logs what went wrong under the request's id and says no more than that id. */
export function sendInternal(request: Request, response: Response, log: Log, error: unknown, text: string): void {
  const id = requestId(request);
  log.error({ request: id, err: error }, "a request failed");
  if (response.headersSent) response.destroy();
  else send(request, response, { status: 500, body: { error: text, code: "internal_error", id } });
}

/** A route as Express wants it. `text` is what the caller reads when we are at fault. */
export const answering =
  (route: (request: Request) => Promise<Answer>, log: Log, text = "Internal error"): RequestHandler =>
  (request, response) => {
    route(request).then(
      (answer) => send(request, response, answer),
      (error: unknown) => sendInternal(request, response, log, error, text),
    );
  };

/** The last route of a router. */
export const nothingHere: RequestHandler = (request, response) => {
  const path = `${request.baseUrl}${request.path}`;
  send(request, response, failure(404, "not_found", `There is no ${request.method} ${path} here.`));
};
