/** Calls GitHub's GraphQL API and validates the answer. Holds schema parts that several queries share. */
import * as z from "zod";
import { gitHubErrorOf, UnreadableAnswer } from "./errors.ts";
import type { Caller } from "./octokit.ts";

/** GitHub's number of a comment or review, which no longer fits a GraphQL `Int`. */
export const fullId = z.coerce.number().int().positive();

const partial = z.object({ data: z.looseObject({}) });

/** The same for a query of several things, of which some may be gone: those are null. */
export async function askForParts<T>(
  { octokit, now }: { readonly octokit: Caller; readonly now: () => number },
  query: string,
  variables: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
): Promise<T> {
  const answer: unknown = await octokit.graphql(query, { ...variables }).catch((thrown: unknown) => {
    const rest = partial.safeParse(thrown);
    if (gitHubErrorOf(thrown, now())?.kind !== "gone" || !rest.success) throw thrown;
    return rest.data.data;
  });
  return checked(answer, schema);
}

function checked<T>(answer: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new UnreadableAnswer(`at ${parsed.error.issues[0]?.path.join(".") ?? "its root"}`);
  return parsed.data;
}

/** Throws what Octokit throws, or {@link UnreadableAnswer}. */
export async function ask<T>(
  octokit: Caller,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
): Promise<T> {
  return checked(await octokit.graphql(query, { ...variables }), schema);
}

const partialAnswer = z.object({
  name: z.literal("GraphqlResponseError"),
  errors: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])) })).min(1),
  data: z.looseObject({}),
});

/** The same, where a nullable field may be out of reach of what an installation has granted: it is then null. */
export async function askWithout<T>(
  field: string,
  octokit: Caller,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
): Promise<T> {
  try {
    return await ask(octokit, query, variables, schema);
  } catch (thrown) {
    const { data: partial } = partialAnswer.safeParse(thrown);
    if (!partial?.errors.every(({ path }) => path.includes(field))) throw thrown;
    const parsed = schema.safeParse(partial.data);
    if (!parsed.success) throw thrown;
    return parsed.data;
  }
}

/** `object(expression:)` of a file. A folder yields an empty object. */
export const blobSchema = z
  .object({ text: z.string().nullable().optional(), isTruncated: z.boolean().nullable().optional() })
  .transform(({ text, isTruncated }) => ({ text: text ?? null, isTruncated: isTruncated ?? false }))
  .nullable();

export const entrySchema = z.object({ name: z.string(), type: z.string() });

/** `object(expression:)` of a folder: its names; null when the folder does not exist. */
export const folderSchema = z
  .object({ entries: z.array(entrySchema).nullish() })
  .transform(({ entries }) => entries ?? [])
  .nullable();

export const BLOB = "... on Blob { text isTruncated }";
export const ENTRIES = "entries { name type }";
export const FOLDER = `... on Tree { ${ENTRIES} }`;

/** A tree as git stores it. GitHub tells modes as decimal numbers. */
export const TREE = "oid entries { name mode oid }";

const treeSchema = z.object({
  oid: z.string(),
  entries: z.array(z.object({ name: z.string(), mode: z.number().int(), oid: z.string() })).nullish(),
});

export interface ReadTree {
  readonly id: string;
  readonly entries: readonly { readonly name: string; readonly mode: string; readonly id: string }[];
}

export const readTreeSchema = treeSchema.transform(
  ({ oid, entries }): ReadTree => ({
    id: oid,
    entries: (entries ?? []).map((entry) => ({ name: entry.name, mode: entry.mode.toString(8), id: entry.oid })),
  }),
);

/** `object(expression:)` of a folder with `... on Tree`; null when something else or nothing is there. */
export const treeObjectSchema = z.union([readTreeSchema, z.object({}).transform(() => null)]).nullable();
