/** Calls GitHub's GraphQL API and validates the answer. Holds schema parts that several queries share. */
import * as z from "zod";
import { UnreadableAnswer } from "./errors.ts";
import type { Caller } from "./octokit.ts";

/** Throws what Octokit throws, or {@link UnreadableAnswer}. */
export async function ask<T>(
  octokit: Caller,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
): Promise<T> {
  const answer: unknown = await octokit.graphql(query, { ...variables });
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new UnreadableAnswer(`at ${parsed.error.issues[0]?.path.join(".") ?? "its root"}`);
  return parsed.data;
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
