/** Reads the served API description for tests: operations with examples, and schemas that can validate. */
import * as z from "zod";

const content = z.record(
  z.string(),
  z.object({ schema: z.record(z.string(), z.unknown()).optional(), example: z.unknown().optional() }),
);
const parameter = z.object({
  name: z.string(),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean().optional(),
  schema: z.record(z.string(), z.unknown()),
  example: z.unknown().optional(),
});
const response = z.object({
  description: z.string(),
  content: content.optional(),
  headers: z.record(z.string(), z.unknown()).optional(),
});
const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().default(""),
  tags: z.array(z.string()),
  security: z.array(z.unknown()),
  parameters: z.array(parameter).default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), response),
});
const documentSchema = z.object({
  openapi: z.string(),
  info: z.object({ version: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()), responses: z.record(z.string(), response) }),
});

export type Described = z.infer<typeof documentSchema>;
export type Schema = Readonly<Record<string, unknown>>;

export interface Operation extends z.infer<typeof operation> {
  /** `POST` */
  readonly method: string;
  readonly path: string;
}

const RESPONSE = /\{"\$ref":"#\/components\/responses\/([^"]+)"\}/g;

/** With every answer where it is meant, though the document says those that are alike once. */
export function readDescription(document: unknown): Described {
  const shared = z.object({ components: z.object({ responses: z.record(z.string(), z.unknown()) }) }).parse(document);
  const said = (_: string, name: string): string => JSON.stringify(shared.components.responses[name]);
  return documentSchema.parse(JSON.parse(JSON.stringify(document).replace(RESPONSE, said)));
}

export const operationsOf = ({ paths }: Described): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
  );

/** What was said in a schema of the document, as one that can be asked whether something is so. */
export function asked(schema: Schema, { components }: Described): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}

/** The answer that is no error, which the example of the call promises: this one where there are several. */
export function promised(
  { responses }: Operation,
  given: number,
): {
  readonly status: number;
  readonly answer: z.infer<typeof response>;
} {
  const good = Object.entries(responses).filter(([status]) => Number(status) < 300);
  const found = good.find(([status]) => Number(status) === given) ?? good[0];
  if (found === undefined) throw new Error("an operation answers nothing");
  return { status: Number(found[0]), answer: found[1] };
}

/** Keys of objects, however deep, and the kind of every value: what an example and a real answer must share. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 || typeof value[0] === "string" ? "list" : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return "value";
  const shapes = Object.entries(value).map(([name, one]) => [name, shapeOf(one)] as const);
  return Object.fromEntries(shapes.sort(([a], [b]) => a.localeCompare(b)));
}
