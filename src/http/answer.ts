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
}

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

/** Without Express's own `json`, which hashes each body for a tag that most answers do not need. */
export function send(response: Response, answer: Answer): void {
  response.statusCode = answer.status;
  for (const name in answer.headers) response.setHeader(name, answer.headers[name] ?? "");
  if (answer.body === undefined) {
    response.end();
    return;
  }
  const text = JSON.stringify(answer.body);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

/** Logs what went wrong under the request's id and says no more than that id. */
export function sendInternal(request: Request, response: Response, log: Log, error: unknown, text: string): void {
  const id = requestId(request);
  log.error({ request: id, err: error }, "a request failed");
  if (response.headersSent) response.destroy();
  else send(response, { status: 500, body: { error: text, code: "internal_error", id } });
}

/** A route as Express wants it. `text` is what the caller reads when we are at fault. */
export const answering =
  (route: (request: Request) => Promise<Answer>, log: Log, text = "Internal error"): RequestHandler =>
  (request, response) => {
    route(request).then(
      (answer) => send(response, answer),
      (error: unknown) => sendInternal(request, response, log, error, text),
    );
  };

/** The last route of a router. */
export const nothingHere: RequestHandler = (request, response) => {
  const path = `${request.baseUrl}${request.path}`;
  send(response, failure(404, "not_found", `There is no ${request.method} ${path} here.`));
};
