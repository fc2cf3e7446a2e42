/** Reads, bounds and parses request bodies, and says in sentences what is wrong with one. */
import { hash } from "node:crypto";
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from "express";
import * as z from "zod";
import { fieldsIn, fieldsOf, isJsonWithinBounds } from "../../text/json-bounds.ts";
import type { HoldBody } from "../server/bodies-under-way.ts";
import { failure, type HttpResult, send } from "./answer.ts";
import { NAMED_TWICE, NO_JSON, TOO_DEEP } from "./checked.ts";
import { CHUNK_BYTES, LARGE_BODY_BYTES, MAX_BODY_BYTES, sizeInWords } from "./limits.ts";

declare global {
  namespace Express {
    interface Request {
      /** SHA-256 of the address and the body as they came, where the request has an `Idempotency-Key`. */
      digest?: string;
    }
  }
}

/** Said by our own reader, beside those of the body parser's own. */
const OUT_OF_BOUNDS = "entity.out.of.bounds";
const TWICE = "entity.field.twice";

const refusal = (type: string, status: number): Error => Object.assign(new Error(type), { type, status });

/** What tells one request from another under the same route and key. No address holds a line feed. */
export const digestOf = ({ originalUrl }: Pick<Request, "originalUrl">, body: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from(`${originalUrl}\n`), body]), "hex");

const CHARSET = /;\s*charset\s*=\s*"?([\w-]*)/i;
const UTF_8 = new TextDecoder();

/** What is wrong with the body; null: it is an object or a list now, or there is none. */
function parseBody(request: Request): Error | null {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes)) return null;
  const charset = CHARSET.exec(request.headers["content-type"] ?? "")?.[1];
  // the bounds are those of UTF-8
  if (charset !== undefined && charset.toLowerCase() !== "utf-8") return refusal("charset.unsupported", 415);
  if (!isJsonWithinBounds(bytes)) return refusal(OUT_OF_BOUNDS, 400);
  if (request.headers["idempotency-key"] !== undefined) request.digest = digestOf(request, bytes);
  const parsed = bytes.length === 0 ? {} : jsonOf(bytes);
  if (typeof parsed !== "object" || parsed === null) return refusal("entity.parse.failed", 400);
  request.body = parsed;
  return fieldsIn(bytes) === fieldsOf(parsed) ? null : refusal(TWICE, 400);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(UTF_8.decode(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Reads a body as JSON whatever its type says: a forgotten content type is no reason to see an empty body. Not Express's
 * own reader, which decodes every charset, and that for a twentieth of a request.
 */
export function jsonBody(limit: number = MAX_BODY_BYTES): RequestHandler {
  const read = rawBody(limit);
  return (request, response, next) =>
    read(request, response, (error?: unknown) => next(error ?? parseBody(request) ?? undefined));
}

/** Reads a body as it is, for whoever checks a signature over it, or parses it elsewhere. */
export const rawBody = (limit: number = MAX_BODY_BYTES): RequestHandler => express.raw({ limit, type: () => true });

export const BUSY = failure(503, "busy", "Too many bodies are being sent at once; send yours again in a moment.", {
  "Retry-After": "1",
  Connection: "close",
});

/** So few bytes count before they are there, since a look at each chunk costs more than they do. */
const SMALL_BODY_BYTES = 4_096;

/** Stands right before a reader, which reads the same bytes: what is held for this body counts among that of all others. */
export const counted =
  (hold: HoldBody, limit: number = MAX_BODY_BYTES): RequestHandler =>
  (request, response, next) => {
    let over = false;
    const held = hold(() => {
      over = true;
      if (!response.headersSent) send(request, response, BUSY);
    });
    response.once("close", held.release);
    request.once("end", held.whole);
    const { "content-encoding": packed, "content-length": length } = request.headers;
    // what a packed body comes to is not known before it is there
    if (packed !== undefined) held.add(limit);
    else if (Number(length) <= SMALL_BODY_BYTES) held.add(Number(length) + CHUNK_BYTES);
    else
      request.on("data", (chunk: Buffer) => {
        if (!over) held.add(chunk.length + CHUNK_BYTES);
      });
    if (!over) next();
  };

const bodyError = z.object({ type: z.string(), status: z.number(), limit: z.number().default(MAX_BODY_BYTES) });

/** zlib's errors have no type; the status is the body reader's. */
const unpackingError = z.object({ errno: z.number(), code: z.string(), status: z.literal(400) });

const NOT_PACKED_SO = failure(
  415,
  "unsupported_encoding",
  "The body is not packed as its Content-Encoding says; send it whole, plain or compressed with gzip.",
);

/** Stands behind a reader: after a body that took its time others come first. */
export const othersFirst: RequestHandler = (request, _response, next) => {
  if (Number(request.headers["content-length"] ?? LARGE_BODY_BYTES) >= LARGE_BODY_BYTES) setImmediate(() => next());
  else next();
};

/** Answers what went wrong while a body was read; anything else goes on to the next error handler. */
export const bodyErrors: ErrorRequestHandler = (error, request, response, next) => {
  // it was sent away while it was read
  if (response.headersSent) return;
  const parsed = bodyError.safeParse(error);
  const unpacked = unpackingError.safeParse(error).success ? NOT_PACKED_SO : null;
  const answer = parsed.success ? bodyAnswer(parsed.data) : unpacked;
  if (answer === null) next(error);
  else send(request, response, answer);
};

function bodyAnswer({ type, limit }: z.infer<typeof bodyError>): HttpResult | null {
  switch (type) {
    case "entity.too.large":
      return failure(413, "body_too_large", `The body is larger than ${sizeInWords(limit)}; send less.`);
    case OUT_OF_BOUNDS:
      return TOO_DEEP;
    case TWICE:
      return NAMED_TWICE;
    case "entity.parse.failed":
      return NO_JSON;
    case "encoding.unsupported":
    case "charset.unsupported":
      return failure(415, "unsupported_encoding", "Send the body as JSON in UTF-8, plain or compressed with gzip.");
    case "request.aborted":
    case "request.size.invalid":
      return failure(400, "incomplete_body", "The body ended before it was complete; send it again.");
    default:
      return null;
  }
}
