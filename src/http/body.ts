/**
 * Bodies of requests: read, bounded, parsed, and checked against a schema, with sentences for what is wrong.
 */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { z } from "zod";
import { type Answer, failure, send } from "./answer.ts";
import { placeOf } from "../wire/place.ts";
import { head } from "../wire/text.ts";
import { hintFor } from "../wire/typo.ts";
import { isJsonWithinBounds } from "../wire/json-bounds.ts";
import { MAX_BODY_BYTES } from "./limits.ts";

declare global {
  namespace Express {
    interface Request {
      /** SHA-256 of the address and the body as they came, where the request has an `Idempotency-Key`. */
      digest?: string;
    }
  }
}

/** Said by our own reader, beside those of the body parser's own. */
const TOO_DEEP = "entity.too.deep";

const refusal = (type: string, status: number): Error => Object.assign(new Error(type), { type, status });

type Asked = IncomingMessage & { readonly originalUrl?: string; digest?: string };

/** What tells one request from another under the same route and key. No address holds a line feed. */
export const digestOf = ({ originalUrl = "" }: Asked, body: Buffer): string =>
  hash("sha256", Buffer.concat([Buffer.from(`${originalUrl}\n`), body]), "hex");

/** Reads a body as JSON whatever its type says: a forgotten content type is no reason to see an empty body. */
export const jsonBody = (limit: number = MAX_BODY_BYTES): RequestHandler =>
  express.json({
    limit,
    type: () => true,
    verify: (request: Asked, _response, bytes, encoding) => {
      // the bounds are those of UTF-8
      if (encoding !== "utf-8") throw refusal("charset.unsupported", 415);
      if (!isJsonWithinBounds(bytes)) throw refusal(TOO_DEEP, 400);
      if (request.headers["idempotency-key"] !== undefined) request.digest = digestOf(request, bytes);
    },
  });

/** Reads a body as it is, for whoever checks a signature over it. */
export const rawBody = (): RequestHandler => express.raw({ limit: MAX_BODY_BYTES, type: () => true });

const bodyError = z.object({ type: z.string(), status: z.number(), limit: z.number().default(MAX_BODY_BYTES) });

/** zlib's errors have no type; the status is the body reader's. */
const unpackingError = z.object({ errno: z.number(), code: z.string(), status: z.literal(400) });

const NOT_PACKED_SO = failure(
  415,
  "unsupported_encoding",
  "The body is not packed as its Content-Encoding says; send it whole, plain or compressed with gzip.",
);

/** Answers what went wrong while a body was read; anything else goes on to the next error handler. */
export const bodyErrors: ErrorRequestHandler = (error, request, response, next) => {
  const parsed = bodyError.safeParse(error);
  const unpacked = unpackingError.safeParse(error).success ? NOT_PACKED_SO : null;
  const answer = parsed.success ? bodyAnswer(parsed.data) : unpacked;
  if (answer === null) next(error);
  else send(request, response, answer);
};

function bodyAnswer({ type, limit }: z.infer<typeof bodyError>): Answer | null {
  switch (type) {
    case "entity.too.large":
      return failure(413, "body_too_large", `The body is larger than ${limit / 1024 / 1024} MB; send less.`);
    case TOO_DEEP:
      return failure(400, "invalid_json", "The body nests or holds more lists and objects than any request needs.");
    case "entity.parse.failed":
      return failure(400, "invalid_json", "The body is not valid JSON.");
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

const LONGEST_NAME = 60;

/** A name that this call does not take would be without effect, which whoever misspelt it must not find out later. */
function unknownField(path: readonly PropertyKey[], keys: readonly string[], schema: z.ZodType): Answer {
  const [name = ""] = keys;
  const known = path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const place = head(placeOf([...path, name]), LONGEST_NAME);
  return failure(400, "invalid_field", `${place}: is not known here${hintFor(head(name, LONGEST_NAME), known)}`);
}

/** The body as the schema wants it, or the answer that names the first field that is wrong. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): { readonly value: T } | { readonly answer: Answer } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { answer: failure(400, "invalid_body", "The body must be a JSON object.") };
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return { value: parsed.data };
  const { issues } = parsed.error;
  // a field that is missing may be the one whose name is wrong
  const unknown = issues.find((one) => one.code === "unrecognized_keys");
  if (unknown !== undefined) return { answer: unknownField(unknown.path, unknown.keys, schema) };
  const issue = issues[0];
  const field = placeOf(issue?.path ?? []);
  const sentence = field === "" ? (issue?.message ?? "The body is not as expected.") : `${field}: ${issue?.message}`;
  return { answer: failure(400, "invalid_field", sentence) };
}
