/** Validates foreign values by a schema and turns mistakes into an answer. */
import * as z from "zod";
import { fieldPath } from "../../text/field-path.ts";
import { head } from "../../text/text.ts";
import { hintFor } from "../../text/typo.ts";
import { failure, type HttpResult } from "./answer.ts";

export const TOO_DEEP = failure(
  400,
  "invalid_json",
  "The body nests or holds more lists, objects and values than any request needs.",
);
export const NAMED_TWICE = failure(400, "invalid_json", "An object in the body names a field twice; name each once.");
export const NO_JSON = failure(400, "invalid_json", "The body is not valid JSON.");

const LONGEST_NAME = 60;

/** A name that this call does not take would be without effect, which whoever misspelt it must not find out later. */
function unknownField(path: readonly PropertyKey[], keys: readonly string[], schema: z.ZodType): HttpResult {
  const [name = ""] = keys;
  const known = path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const place = head(fieldPath([...path, name]), LONGEST_NAME);
  return failure(400, "invalid_field", `${place}: is not known here${hintFor(head(name, LONGEST_NAME), known)}`);
}

/** The value as the schema wants it, or the answer that names the first field that is wrong. */
export function checked<T>(
  schema: z.ZodType<T>,
  body: unknown,
): { readonly value: T } | { readonly answer: HttpResult } {
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
  const field = fieldPath(issue?.path ?? []);
  const sentence = field === "" ? (issue?.message ?? "The body is not as expected.") : `${field}: ${issue?.message}`;
  return { answer: failure(400, "invalid_field", sentence) };
}
