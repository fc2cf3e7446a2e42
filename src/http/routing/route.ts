/**
 * A route of the API as a value: what it takes, who may call it, what it answers. It is mounted on the router and
 * described in the OpenAPI document, so that the two cannot differ.
 */
import type { Request, RequestHandler } from "express";
import * as z from "zod";
import type { Scope } from "../../domain/access.ts";
import type { RepeatableRoute, WorkId } from "../middleware/idempotency.ts";
import type { HttpResult } from "./answer.ts";
import { checked } from "./checked.ts";
import type { ErrorCode } from "./error-codes.ts";

/** One thing that a route may answer. */
export interface AnswerShape {
  /** A sentence for the description. */
  readonly about: string;
  /** Undefined: no body. */
  readonly schema?: z.ZodType;
  /** Said to be true by a test: the call with the route's own example is answered in this shape. */
  readonly example?: unknown;
  /** Of a body that is not JSON. */
  readonly type?: string;
  /** Of an error: the codes that it may carry. */
  readonly codes?: readonly ErrorCode[];
  /** Header by header, a sentence each. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that has passed the schemas of its route. */
export interface Call<Params, Query, Body> {
  readonly request: Request;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Under which the work is to be done, where the request may be sent again. */
  readonly work_id: WorkId | undefined;
}

interface Shape {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As OpenAPI writes it: `/api/keys/{id}`. */
  readonly path: string;
  /** A name for generated clients, unique. */
  readonly operation: string;
  /** The section of the description in which it stands. */
  readonly group: string;
  readonly summary: string;
  readonly about?: string;
  /** `any`: whatever a valid key may otherwise do. Null: whoever calls needs no key, or is known by other means. */
  readonly scope: Scope | "any" | null;
  /** The body is handed on as the bytes that came: its sender has signed those. */
  readonly raw?: true;
  /** By status. What every route may answer (401, 403, 413, 429, 500 …) is not repeated here. */
  readonly answers: Readonly<Record<number, AnswerShape>>;
  /** A request that is answered with the example of the first 2xx. */
  readonly example?: { readonly params?: object; readonly query?: object; readonly body?: object };
  /** The request may carry an `Idempotency-Key`. */
  readonly repeatable?: true;
  /** Also for a key whose holder may not command any more. */
  readonly lasting?: true;
  /** Stand before the body is read, where it is not a key by which the caller is known. */
  readonly callers?: readonly RequestHandler[];
  /** What the bytes of a `raw` body are to be, for the description. */
  readonly raw_body?: z.ZodType;
  /** A body may be larger than others. */
  readonly max_body_bytes?: number;
  /** Stand between the body and the work. */
  readonly guards?: readonly RequestHandler[];
  /** What the caller reads when we are at fault. */
  readonly failed?: string;
  /** Fields and parameters that are not known here are not looked at: whoever calls is not ours, or of another version. */
  readonly lenient?: true;
  /** Whatever comes as a body is not looked at: the document of the dialect does not say that there is none. */
  readonly ignores_body?: true;
  /** Asked by machines every few seconds, so that the log speaks of it at `debug` alone. */
  readonly quiet?: true;
}

export interface Definition<Params, Query, Body> extends Shape {
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Mistakes that have words of their own, before the schemas are asked. Express would parse the query anew. */
  readonly precheck?: (request: Request, query: Request["query"]) => HttpResult | null;
  readonly work: (call: Call<Params, Query, Body>) => Promise<HttpResult>;
}

export interface Route extends Shape {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly run: RepeatableRoute;
}

type Read<T> = { readonly value: T } | { readonly answer: HttpResult };

const NOTHING = z.strictObject({});

/** What no schema speaks of is refused, but by a lenient route: what it does not know is not handed on. */
function read<T>(schema: z.ZodType<T> | undefined, given: unknown, lenient: boolean): Read<T | undefined> {
  if (schema !== undefined) return checked(schema, given);
  if (lenient || (typeof given === "object" && given !== null && Object.keys(given).length === 0))
    return { value: undefined };
  const refused = checked(NOTHING, given);
  return "answer" in refused ? refused : { value: undefined };
}

/**
 * The route with its work behind its schemas. What is not declared is `undefined` in the call; a body that is left out
 * is an empty one, so that its schema says what is missing.
 */
export function route<Params = undefined, Query = undefined, Body = undefined>(
  definition: Definition<Params, Query, Body>,
): Route {
  const { work, precheck, ...shape } = definition;
  const bodyless = definition.lenient === true || definition.ignores_body === true;
  const run: RepeatableRoute = async (request, work_id) => {
    const asked = request.query;
    const refusal = precheck?.(request, asked) ?? null;
    if (refusal !== null) return refusal;
    const params = read(definition.params, request.params, true);
    if ("answer" in params) return params.answer;
    const query = read(definition.query, asked, definition.lenient === true);
    if ("answer" in query) return query.answer;
    const body = read(definition.body, request.body ?? {}, bodyless);
    if ("answer" in body) return body.answer;
    // a schema that is not there has the type `undefined`, which is what it reads
    const call = { request, work_id, params: params.value, query: query.value, body: body.value };
    return work(call as Call<Params, Query, Body>);
  };
  return { ...shape, run };
}

/** How Express writes the same path. */
export const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

/** The same, where `owner/name` is taken with its slash as well, as people write it. */
export const mountedPath = (path: string): string =>
  expressPath(path).replace("/:projectId/", "/:projectId{/:projectName}/");
