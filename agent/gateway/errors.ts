/** The gateway's own error answers, in the provider's format: `{type: "error", error: {type, message}}`. */
import type { ServerResponse } from "node:http";
import type { CostLimit, NoAccess } from "../../src/contracts/gateway.ts";
import { counted } from "../../src/text/plural.ts";

const STATUS = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  timeout_error: 408,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 502,
} as const;

export interface ModelError {
  readonly type: keyof typeof STATUS;
  readonly message: string;
  readonly cost_limit?: CostLimit;
  readonly no_access?: NoAccess;
}

export const NO_KEY: ModelError = {
  type: "authentication_error",
  message: "ANTHROPIC_API_KEY is not set. Add it to the repository's secrets for Actions.",
  no_access: "key_missing",
};

/**
 * Permanent, like a missing key. The gateway starts anyway, since a failed start would cost the job a second attempt.
 */
export const NO_SUCH_KEY: ModelError = {
  type: "authentication_error",
  message: "ANTHROPIC_API_KEY holds invalid characters; copy the key again into the repository's secrets.",
  no_access: "key_refused",
};

export const TOO_MANY: ModelError = {
  type: "rate_limit_error",
  message: "Too many calls of this run are in progress. Retry when they have ended.",
};

export const BODY_ERRORS: Readonly<Record<"too_large" | "too_late" | "broken", ModelError>> = {
  too_large: { type: "request_too_large", message: "The request is too large." },
  too_late: { type: "timeout_error", message: "The request was not complete in time." },
  broken: { type: "invalid_request_error", message: "The request broke off." },
};

export function sendJson(answer: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  answer.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

export function sendError(answer: ServerResponse, error: ModelError): void {
  if (answer.headersSent || answer.destroyed) return void answer.destroy();
  if (error.type === "rate_limit_error") answer.setHeader("retry-after", "1");
  // Does not wait for the unread rest of the request.
  if (!answer.req.complete) answer.setHeader("connection", "close");
  sendJson(answer, STATUS[error.type], { type: "error", error });
}

export const overLimit = (limit: CostLimit): ModelError => ({
  type: "billing_error",
  message:
    `The call was not sent: ${limit.spent_cents.toFixed(1)} of the run's ${counted(limit.cap_cents, "cent")} are spent and it may ` +
    `cost ${limit.next_cents.toFixed(1)} cents.`,
  cost_limit: limit,
});
