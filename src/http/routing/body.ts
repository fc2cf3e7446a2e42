/** Reads, bounds and parses request bodies, and says in sentences what is wrong with one. */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import * as z from "zod";
import { fieldsIn, fieldsOf, isJsonWithinBounds } from "../../text/json-bounds.ts";
import type { HoldBody } from "../server/bodies-under-way.ts";
import { failure, type HttpResult, send } from "./answer.ts";
import { NAMED_TWICE, NO_JSON, TOO_DEEP } from "./checked.ts";
import { CHUNK_BYTES, LARGE_BODY_BYTES, MAX_BODY_BYTES } from "./limits.ts";

declare global {
  namespace Express {
    interface Request {
      /** SHA-256 of the address and the body as they came, where the request has an `Idempotency-Key`. */
      digest?: string;
      /** How many fields the body names, where it was read as JSON. */
      fields?: number;
    }
  }
}

/** Said by our own reader, beside those of the body parser's own. */
const OUT_OF_BOUNDS = "entity.out.of.bounds";
const TWICE = "entity.field.twice";

const refusal = (type: string, status: number): Error => Object.assign(new Error(type), { type, status });

type Asked = IncomingMessage & { readonly originalUrl?: string; digest?: string; fields?: number };

/** What tells one request from another under the same route and key. No address holds a line feed. */
export const digestOf = ({ originalUrl = "" }: Asked, body: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from(`${originalUrl}\n`), body]), "hex");

/** Reads a body as JSON whatever its type says: a forgotten content type is no reason to see an empty body. */
export function jsonBody(limit: number = MAX_BODY_BYTES): RequestHandler {
  const read = express.json({
    limit,
    type: () => true,
    verify: (request: Asked, _response, bytes, encoding) => {
      // the bounds are those of UTF-8
      if (encoding !== "utf-8") throw refusal("charset.unsupported", 415);
      if (!isJsonWithinBounds(bytes)) throw refusal(OUT_OF_BOUNDS, 400);
      if (request.headers["idempotency-key"] !== undefined) request.digest = digestOf(request, bytes);
      request.fields = fieldsIn(bytes);
    },
  });
  return (request, response, next) =>
    read(request, response, (error?: unknown) => {
      const twice = request.fields !== undefined && request.fields !== fieldsOf(request.body);
      next(error ?? (twice ? refusal(TWICE, 400) : undefined));
    });
}

/** Reads a body as it is, for whoever checks a signature over it, or parses it elsewhere. */
export const rawBody = (limit: number = MAX_BODY_BYTES): RequestHandler => express.raw({ limit, type: () => true });

export const BUSY = failure(503, "busy", "Too many bodies are being sent at once; send yours again in a moment.", {
  "Retry-After": "1",
  Connection: "close",
});

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
    // what a packed body comes to is not known before it is there
    if (request.headers["content-encoding"] !== undefined) held.add(limit);
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
      return failure(413, "body_too_large", `The body is larger than ${limit / 1024 / 1024} MB; send less.`);
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
