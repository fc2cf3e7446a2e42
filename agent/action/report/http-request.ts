/**
 * Sends one HTTP request and classifies the answer: done, retry later, or refused for good. The peer is not trusted:
 * time and size are bounded, and redirects are not followed, since they would carry the bearer token elsewhere.
 */
import type { Secret } from "../../../src/contracts/secret.ts";
import { head } from "../../../src/text/text.ts";

const REQUEST_LIMIT_MS = 15_000;
/** Bytes. Longer answers are cut. */
const ANSWER_LIMIT = 64 * 1024;
/** The longest pause that an answer may ask for. */
const MAX_PAUSE_MS = 300_000;
const MESSAGE_LIMIT = 200;

export interface Request {
  readonly url: string;
  readonly bearer: Secret;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; a GET without it. */
  readonly body?: unknown;
  /** Of a request with a body; POST by default. */
  readonly method?: "POST" | "PATCH";
  readonly signal: AbortSignal;
}

export type HttpResult =
  | { readonly kind: "done"; readonly body: unknown }
  /** `afterMs`: the pause that the server asked for. */
  | { readonly kind: "later"; readonly afterMs: number | null; readonly reason: string }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string };

export async function exchange(request: Request): Promise<HttpResult> {
  const { origin } = new URL(request.url);
  try {
    const response = await fetch(request.url, {
      method: request.body === undefined ? "GET" : (request.method ?? "POST"),
      headers: {
        ...request.headers,
        authorization: `Bearer ${request.bearer.reveal()}`,
        accept: "application/json",
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      redirect: "manual",
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]),
    });
    return meaning(response, await readBounded(response), origin);
  } catch (error) {
    return { kind: "later", afterMs: null, reason: `${origin} cannot be reached: ${causeOf(error)}` };
  }
}

/** 409 with a pause means "not yet", without one "no more". 501 means that this server never will. */
function meaning(response: Response, text: string, origin: string): HttpResult {
  const { status } = response;
  const body = parsed(text);
  if (status >= 200 && status < 300) return { kind: "done", body };
  const reason = `${origin} answers ${status}${messageIn(body)}`;
  const afterMs = pauseOf(response.headers.get("retry-after"));
  if ((status >= 500 && status !== 501) || status === 429 || (status === 409 && afterMs !== null))
    return { kind: "later", afterMs, reason };
  return { kind: "refused", status, reason };
}

function pauseOf(header: string | null): number | null {
  if (header === null || header.trim() === "") return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_PAUSE_MS);
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > ANSWER_LIMIT) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The server's message, cut to one line of a log. */
function messageIn(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  // the App's answers have the one, GitHub's the other
  const said = "error" in body ? body.error : "message" in body ? body.message : null;
  if (typeof said !== "string") return "";
  return `: ${head(said.replace(/[\p{C}\s]+/gu, " "), MESSAGE_LIMIT)}`;
}

/** The cause that `fetch` hides behind "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
