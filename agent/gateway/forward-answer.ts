/** Passes the provider's answers on to the caller, and books their cost before the caller has the whole answer. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { LOWERED_HEADER } from "../../src/contracts/gateway.ts";
import { mostOf, StreamedUsage, usageOfMessage } from "./answer-usage.ts";
import type { Bound, CallUsage } from "./budget.ts";
import { sendError } from "./errors.ts";
import type { KeyRedactor } from "./key-redactor.ts";
import type { Called } from "./provider-call.ts";
import { readBody } from "./read-body.ts";

/** Far above what a model writes in one answer. */
const ANSWER = { bytes: 32 * 1024 * 1024, ms: 20 * 60_000 };
/** A token count is one number. */
const COUNT = { bytes: 64 * 1024, ms: 30_000 };

const HEADERS = ["content-type", "request-id", "retry-after", "retry-after-ms", "x-should-retry"];

function headersOf({ headers }: IncomingMessage, redactor: KeyRedactor): OutgoingHttpHeaders {
  return Object.fromEntries(
    HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, redactor.text(String(headers[name]))]])),
  );
}

const unreached = (answer: ServerResponse, reason: string): void =>
  sendError(answer, { type: "api_error", message: `The provider could not be reached: ${reason}.` });

/** Redirects are refused, so that the key goes only to the address that the repository configured. */
const isAnswer = (status: number): boolean => (status >= 200 && status < 300) || (status >= 400 && status < 600);

async function whole(
  response: IncomingMessage,
  answer: ServerResponse,
  redactor: KeyRedactor,
  onBody?: (text: string | null) => void,
) {
  const { statusCode = 0 } = response;
  if (!isAnswer(statusCode)) {
    response.destroy();
    onBody?.(null);
    return unreached(answer, `it answered with status ${statusCode}`);
  }
  const body = await readBody(response, ANSWER);
  onBody?.(body.ok ? body.text : null);
  if (!body.ok) {
    response.destroy();
    return unreached(answer, "its answer broke off");
  }
  const text = redactor.text(body.text);
  const headers = { ...headersOf(response, redactor), "content-length": Buffer.byteLength(text) };
  answer.writeHead(statusCode, headers).end(text);
}

export interface Sent {
  readonly called: Called;
  /** Of what authenticated the call. */
  readonly redactor: KeyRedactor;
}

/** For answers that cost nothing: errors, lists, counts. */
export async function forwardWhole({ called, redactor }: Sent, answer: ServerResponse): Promise<void> {
  if (!called.ok) return unreached(answer, called.reason);
  await whole(called.response, answer, redactor);
}

/** The token count, or null when the provider does not count. */
export async function countIn(called: Called): Promise<number | null> {
  if (!called.ok) return null;
  const { response } = called;
  const body = await readBody(response, COUNT);
  if (!body.ok) response.destroy();
  if (!body.ok || response.statusCode !== 200) return null;
  try {
    return z.object({ input_tokens: z.number().nonnegative() }).parse(JSON.parse(body.text)).input_tokens;
  } catch {
    return null;
  }
}

export interface Charge {
  readonly bound: Bound;
  /** The answer may be shorter than requested. */
  readonly lowered: boolean;
  /** Null when the call was not charged. Takes effect once. */
  readonly settle: (usage: CallUsage | null) => void;
}

export async function forwardMessage(
  { called, redactor }: Sent,
  answer: ServerResponse,
  charge: Charge,
): Promise<void> {
  const { bound, settle } = charge;
  if (!called.ok) {
    settle(called.charged ? mostOf(bound) : null);
    return unreached(answer, called.reason);
  }
  const { response } = called;
  const charged = (response.statusCode ?? 0) < 300;
  if (charged && charge.lowered && !answer.headersSent) answer.setHeader(LOWERED_HEADER, bound.output);
  if (!charged || !String(response.headers["content-type"]).includes("text/event-stream")) {
    const settleWhole = (text: string | null): void =>
      settle(text === null ? mostOf(bound) : usageOfMessage(text, bound));
    return whole(response, answer, redactor, charged ? settleWhole : () => settle(null));
  }
  const usage = new StreamedUsage(bound);
  answer.writeHead(response.statusCode ?? 200, headersOf(response, redactor));
  const listen = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      usage.push(chunk);
      if (usage.whole) settle(usage.usage);
      yield chunk;
    }
    settle(usage.usage);
  };
  // Either side's abort ends the other, so that the caller notices an incomplete answer.
  await pipeline(response, listen, redactor.chunks, answer).catch(() => {});
  settle(usage.usage);
}
