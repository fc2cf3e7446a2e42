/** Generates the OpenAPI document from the routes, the same values that are mounted. */
import * as z from "zod";
import {
  createDocument,
  type oas32,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";
import { VERSION } from "../../contracts/version.ts";
import { ERROR_CODES } from "./error-codes.ts";
import type { AnswerShape, Route } from "./route.ts";
import type { RouteGroup } from "./route-group.ts";
import { answersOf, SHARED_HEADERS, takesBody } from "./shared-answers.ts";

export type Description = ReturnType<typeof createDocument>;

const ABOUT = `Ask for jobs, see how they stand, keep the keys.

Every request carries an API key, as \`x-api-key: …\` or \`Authorization: Bearer …\`; a key has scopes, and one with
\`admin\` may do everything. Errors are \`{"error": "a sentence", "code": "…"}\`: show the sentence, act on the code.
Every answer has an \`X-Request-Id\`, under which the log knows the request; one that you send is kept. Writes are
counted: \`RateLimit\` says what is left.`;

const codes = Object.keys(ERROR_CODES);

const errorSchema = z
  .object({
    error: z.string().meta({ description: "A sentence that says what to do next." }),
    code: z.enum(codes).meta({ description: "What a program goes by." }),
    id: z.string().optional().meta({ description: "Of an internal error: under which the log has the details." }),
  })
  .meta({ id: "ApiError" });

const SENTENCE = "A sentence that says what is wrong and what to do.";

const REQUEST_ID = "#/components/headers/X-Request-Id";

const IDEMPOTENCY_KEY = z
  .string()
  .optional()
  .meta({
    description:
      "A new one for each new request, such as a UUID. The same request with the same key is worked on once, and answered again for a day.",
    override: { minLength: 1, maxLength: 255 },
  });
const IF_NONE_MATCH = z.string().optional().meta({ description: "The `ETag` of an earlier answer." });

const wordsOf = ({ about, codes: possible = [] }: AnswerShape): string =>
  [about, possible.map((code) => `- \`${code}\`: ${ERROR_CODES[code]}`).join("\n")].filter(Boolean).join("\n\n");

const headerOf = (name: string, description: string): oas32.HeaderObject => ({
  description,
  schema: { type: name === "Retry-After" ? "integer" : "string" },
});

const headersOf = (shape: AnswerShape): Record<string, oas32.HeaderObject | oas32.ReferenceObject> => ({
  "X-Request-Id": { $ref: REQUEST_ID },
  ...Object.fromEntries(
    Object.entries(shape.headers ?? {}).map(([name, description]) => [
      name,
      SHARED_HEADERS[name] === description ? { $ref: `#/components/headers/${name}` } : headerOf(name, description),
    ]),
  ),
});

/** What is answered with a body of its own, and every error: those are alike but for their code. */
function bodyOf(status: number, { schema, example, codes: possible = [] }: AnswerShape) {
  if (schema !== undefined) return { schema, ...(example === undefined ? {} : { example }) };
  if (status < 400) return null;
  const [code] = possible;
  const id = code === "internal_error" ? { id: "3f9a1c0b7d2e-17" } : {};
  return { schema: errorSchema, ...(code === undefined ? {} : { example: { error: SENTENCE, code, ...id } }) };
}

function responseOf(status: number, shape: AnswerShape): ZodOpenApiResponseObject {
  const body = bodyOf(status, shape);
  return {
    description: wordsOf(shape),
    headers: headersOf(shape),
    ...(body === null ? {} : { content: { [shape.type ?? "application/json"]: body } }),
  };
}

/** Parameters are told apart by name, so their schema must be an object. */
function objectOf(schema: z.ZodType | undefined, of: string): z.ZodObject | undefined {
  if (schema === undefined || schema instanceof z.ZodObject) return schema;
  throw new Error(`${of} must be described by z.object`);
}

function paramsOf(route: Route): ZodOpenApiOperationObject["requestParams"] & object {
  const named = `${route.method.toUpperCase()} ${route.path}`;
  const path = objectOf(route.params, `the params of ${named}`);
  const query = objectOf(route.query, `the query of ${named}`);
  const header = {
    ...(route.repeatable ? { "Idempotency-Key": IDEMPOTENCY_KEY } : {}),
    ...(304 in route.answers ? { "If-None-Match": IF_NONE_MATCH } : {}),
  };
  return {
    ...(path === undefined ? {} : { path }),
    ...(query === undefined ? {} : { query }),
    ...(Object.keys(header).length === 0 ? {} : { header: z.object(header) }),
  };
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { scope, about, body = route.raw_body, example } = route;
  const needs = scope === null ? "Needs no key." : `Needs a key with the scope \`${scope}\`.`;
  const shown = example?.body === undefined ? {} : { example: example.body };
  return {
    operationId: route.operation,
    summary: route.summary,
    description: about === undefined ? needs : `${about}\n\n${needs}`,
    tags: [route.group],
    security: scope === null ? [] : [{ "x-api-key": [] }, { bearer: [] }],
    requestParams: paramsOf(route),
    ...(body !== undefined && takesBody(route)
      ? {
          requestBody: {
            required: !body.safeParse({}).success,
            content: { "application/json": { schema: body, ...shown } },
          },
        }
      : {}),
    responses: Object.fromEntries(
      Object.entries(answersOf(route)).map(([status, shape]) => [status, responseOf(Number(status), shape)]),
    ),
  };
}

function pathsOf(routes: readonly Route[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return paths;
}

/** The values of a route's example, where its parameters are described: a schema is shared by routes, an example is not. */
function addExamples({ paths = {} }: Description, routes: readonly Route[]): void {
  for (const { path, method, example } of routes) {
    const values = new Map<string, unknown>(Object.entries({ ...example?.params, ...example?.query }));
    for (const parameter of paths[path]?.[method]?.parameters ?? []) {
      if ("name" in parameter && values.has(parameter.name)) parameter.example = values.get(parameter.name);
    }
  }
}

/** Errors that several calls answer alike stand in the document once, by their status and a number. */
function shareErrors(document: Description): void {
  const all = Object.values(document.paths ?? {})
    .flatMap((path) => Object.values(path))
    .flatMap(({ responses = {} }: oas32.OperationObject) =>
      Object.entries(responses)
        .filter(([status]) => Number(status) >= 400)
        .map(([status, response]) => ({ responses, status, response, text: JSON.stringify(response) })),
    );
  const alike = Map.groupBy(all, ({ status, text }) => `${status} ${text}`);
  const shared: Record<string, oas32.ResponseObject | oas32.ReferenceObject> = {};
  for (const places of alike.values()) {
    const [first] = places;
    if (first === undefined || places.length === 1) continue;
    const name = `${first.status}.${Object.keys(shared).length + 1}`;
    shared[name] = first.response;
    for (const { responses, status } of places) responses[status] = { $ref: `#/components/responses/${name}` };
  }
  document.components = { ...document.components, responses: shared };
}

/** What is described: all routes, and the groups that they come from. */
export interface Described {
  readonly routes: readonly Route[];
  readonly groups: readonly Pick<RouteGroup, "sections">[];
}

/** `address`: where the server is reached; null: wherever the document was read. */
export function describe({ routes, groups }: Described, address: string | null): Description {
  const sections = groups.flatMap((group) => Object.entries(group.sections));
  const plan: ZodOpenApiObject = {
    openapi: "3.1.1",
    info: {
      title: "Journeyman",
      version: VERSION,
      description: ABOUT,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: address ?? "/" }],
    tags: sections.map(([name, description]) => ({ name, description })),
    paths: pathsOf(routes),
    components: {
      securitySchemes: {
        "x-api-key": { type: "apiKey", in: "header", name: "x-api-key" },
        bearer: { type: "http", scheme: "bearer" },
      },
      headers: {
        "X-Request-Id": headerOf("X-Request-Id", "Under which the log knows this request."),
        ...Object.fromEntries(Object.entries(SHARED_HEADERS).map(([name, about]) => [name, headerOf(name, about)])),
      },
    },
  };
  const document = createDocument(plan, {
    override: ({ jsonSchema, io }) => {
      // the format says as much as zod's long pattern for it
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
      // an answer may get another field some day
      if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  addExamples(document, routes);
  shareErrors(document);
  return document;
}
