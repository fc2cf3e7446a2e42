/** Runs GraphQL over GitHub's own schema and formats errors as GitHub does. The data is in `graphql-*.ts`. */
import {
  buildClientSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
} from "graphql";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { Refusal } from "./errors.ts";
import type { GraphqlContext } from "./graphql-context.ts";
import { mutations } from "./graphql-mutations.ts";
import { commitObject, queries, refObject, repositoryObject } from "./graphql-objects.ts";
import type { ApiRequest, Reply } from "./router.ts";
import type { World } from "./world.ts";

const requestBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

export interface QueryDescription {
  readonly text: string;
  /** The operation's name, or its first field. */
  readonly name: string;
  /** How many mutations it has; each counts as one content-creating call. */
  readonly mutations: number;
}

export function describeQuery(body: unknown): QueryDescription | undefined {
  const { success, data } = requestBody.safeParse(body);
  if (!success) return undefined;
  try {
    const document = checked.get(data.query) ?? parse(data.query);
    const [operation] = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    const fields = operation?.selectionSet.selections ?? [];
    const first = fields[0]?.kind === Kind.FIELD ? fields[0].name.value : "";
    return {
      text: data.query,
      name: operation?.name?.value ?? first,
      mutations: operation?.operation === "mutation" ? fields.length : 0,
    };
  } catch {
    return { text: data.query, name: "", mutations: 0 };
  }
}

/** Clients send the same few texts again and again, and checking one takes longer than answering it. */
const checked = new LRUCache<string, DocumentNode>({ max: 200 });

/** The document of a query, or what is wrong with it. */
function checkQuery(schema: GraphQLSchema, text: string): DocumentNode | readonly GraphQLError[] {
  const known = checked.get(text);
  if (known !== undefined) return known;
  const document = parse(text);
  const invalid = validate(schema, document);
  if (invalid.length > 0) return invalid;
  checked.set(text, document);
  return document;
}

let loading: Promise<GraphQLSchema> | undefined;

/** Loaded at the first query, since it takes a third of a second and REST does not need it. */
function loadSchema(): Promise<GraphQLSchema> {
  loading ??= import("@octokit/graphql-schema").then(({ schema }) => {
    const { json } = schema;
    return buildClientSchema(json.data ?? json);
  });
  return loading;
}

/** A field that the sandbox does not implement is an error, not a silent null. */
const resolveField: GraphQLFieldResolver<unknown, GraphqlContext> = (source, args, context, info) => {
  if (typeof source === "object" && source !== null && info.fieldName in source) {
    const value: unknown = Reflect.get(source, info.fieldName);
    return typeof value === "function" ? value(args, context, info) : value;
  }
  throw new GraphQLError(`The local GitHub does not know ${info.parentType.name}.${info.fieldName}.`);
};

export async function answerGraphql(world: World, request: ApiRequest): Promise<Reply> {
  if (!["token", "user"].includes(request.actor.kind))
    throw new Refusal(401, "This endpoint requires you to be authenticated.");
  const { success, data: body } = requestBody.safeParse(request.body);
  if (!success) return answered({ errors: [{ message: "A query attribute must be specified and must be a string." }] });
  const schema = await loadSchema();
  let document: ReturnType<typeof checkQuery>;
  try {
    document = checkQuery(schema, body.query);
  } catch (error) {
    return answered({ errors: [{ message: error instanceof Error ? error.message : "Parse error" }] });
  }
  if (!("kind" in document)) return answered({ errors: document.map(errorJson) });
  const objects = { commit: commitObject, ref: refObject, repository: repositoryObject };
  const context: GraphqlContext = { world, request, objects };
  const result = await execute({
    schema,
    document,
    rootValue: { ...queries(context), ...mutations(context) },
    contextValue: context,
    variableValues: body.variables ?? {},
    operationName: body.operationName ?? null,
    fieldResolver: resolveField,
  });
  return answered({
    ...(result.data === undefined ? {} : { data: result.data }),
    ...(result.errors ? { errors: result.errors.map(errorJson) } : {}),
  });
}

const answered = (body: Record<string, unknown>): Reply => ({ status: 200, body });

const TYPES: Readonly<Record<number, string>> = {
  401: "FORBIDDEN",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "STALE_DATA",
};

/** GitHub puts `type` beside `message`, not into extensions. */
function errorJson(error: GraphQLError): Record<string, unknown> {
  const { originalError } = error;
  const refusal = originalError instanceof Refusal ? originalError : undefined;
  if (originalError && !refusal && !(originalError instanceof GraphQLError))
    process.emitWarning(`local GitHub: ${originalError.stack ?? originalError.message}`);
  const type = refusal ? (TYPES[refusal.status] ?? "UNPROCESSABLE") : error.extensions.type;
  return {
    ...(type === undefined ? {} : { type }),
    ...(error.path ? { path: error.path } : {}),
    locations: error.locations,
    message: refusal ? detail(refusal) : error.message,
  };
}

/** The sentence inside "Validation Failed", if there is one. */
function detail(refusal: Refusal): string {
  const errors = z.array(z.object({ message: z.string() })).safeParse(refusal.body.errors);
  return errors.success ? errors.data.map((one) => one.message).join(", ") : refusal.message;
}
