/**
 * The result of a route as a value: routes return one and never touch the response. Only this file writes response
 * bodies of the API.
 */
import type { Request, RequestHandler, Response } from "express";
import type { Log } from "../../engine/ports/log.ts";
import { requestId } from "../server/request-log.ts";
import { RAW_SECURITY_HEADERS } from "../server/security-headers.ts";
import type { ErrorCode } from "./error-codes.ts";

export interface HttpResult {
  readonly status: number;
  /** Said as JSON. Undefined: no body, unless there is a text. */
  readonly body?: object;
  /** Said as it stands, instead of a body. */
  readonly text?: { readonly type: string; readonly content: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body itself, over time, and ends it; there is no other body then. */
  readonly serve?: (response: Response) => void;
}

/** A body that goes on, under these headers. */
export const streaming = (
  headers: Readonly<Record<string, string>>,
  serve: (response: Response) => void,
): HttpResult => ({
  status: 200,
  headers,
  serve,
});

export const success = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): HttpResult => ({
  status,
  body,
  headers,
});

export const failure = (
  status: number,
  code: ErrorCode,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResult => ({ status, body: { error, code }, headers });

export const UNAUTHORIZED = failure(401, "unauthorized", "Unauthorized");

/** All headers at once, and without Express's own `json`, which hashes each body for a tag: this is the hot path. */
export function send(request: Request, response: Response, answer: HttpResult): void {
  const { status, body, text } = answer;
  if (body !== undefined && "code" in body) request.error_code = String(body.code);
  const headers = [...RAW_SECURITY_HEADERS];
  if (request.logged_as !== undefined) headers.push("X-Request-Id", request.logged_as);
  const { rate_limit } = request;
  if (rate_limit !== undefined) headers.push("RateLimit-Policy", rate_limit.policy, "RateLimit", rate_limit.left);
  for (const name in answer.headers) headers.push(name, answer.headers[name] ?? "");
  // what says nothing of it is nobody's to keep: it may hold a key, and it may be an error
  if (answer.headers?.["Cache-Control"] === undefined) headers.push("Cache-Control", "no-store");
  // whoever asks for the headers alone would wait for the end of what goes on
  if (answer.serve !== undefined && request.method !== "HEAD") {
    response.writeHead(status, headers);
    answer.serve(response);
    return;
  }
  if (body === undefined && text === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const content = text?.content ?? JSON.stringify(body);
  const length = String(Buffer.byteLength(content));
  headers.push("Content-Type", text?.type ?? "application/json; charset=utf-8", "Content-Length", length);
  response.writeHead(status, headers).end(content);
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
  (route: (request: Request) => Promise<HttpResult>, log: Log, text = "Internal error"): RequestHandler =>
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
