/** What a schema says of foreign values, as an answer. */
import type { z } from "zod";
import { type Answer, failure } from "./answer.ts";

export const TOO_DEEP = failure(
  400,
  "invalid_json",
  "The body nests or holds more lists, objects and values than any request needs.",
);
export const NO_JSON = failure(400, "invalid_json", "The body is not valid JSON.");

/** The value as the schema wants it, or the answer that names the first field that is wrong. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): { readonly value: T } | { readonly answer: Answer } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { answer: failure(400, "invalid_body", "The body must be a JSON object.") };
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  const sentence = field === "" ? (issue?.message ?? "The body is not as expected.") : `${field}: ${issue?.message}`;
  return { answer: failure(400, "invalid_field", sentence) };
}
