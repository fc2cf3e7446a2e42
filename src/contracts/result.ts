/**
 * The result: what the agent leaves in `.jobs/{id}/result.json` and the App reads leniently:
 * unknown keys are ignored, missing ones get a neutral value, and an unreadable file is told apart from none.
 */
import { z } from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";
import { providerWords } from "./provider-words.ts";

/** Files that a result names as put back; the log of the run names all of them. */
export const MAX_PUT_BACK = 100;

/** What is said of the model: so many sentences, each of so many characters. */
export const MAX_NOTES = 10;
export const MAX_NOTE = 600;

export const OUTCOMES = ["done", "nothing_to_do", "question", "refused", "limit", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * What keeps every try from working until a person changes it, so that no other follows. Only where it is certain: an
 * answer that may be a passing one has no such word.
 */
export const PERMANENT_ERRORS = ["key_missing", "key_refused", "no_credit", "unknown_model", "misconfigured"] as const;
export type PermanentError = (typeof PERMANENT_ERRORS)[number];

const count = z.number().int().nonnegative().catch(0);

export const usageSchema = z.object({
  turns: count,
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
});

export type Usage = z.infer<typeof usageSchema>;

export const NO_USAGE: Usage = {
  turns: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
};

export const resultSchema = z.object({
  version: z.literal(1),
  outcome: z.enum(OUTCOMES),
  title: z
    .string()
    .max(10_000)
    .transform((text) => head(text, 200))
    .catch(""),
  body: z
    .string()
    .transform((text) => head(text, 50_000))
    .catch(""),
  reason: z
    .string()
    .transform((text) => head(providerWords(text), 2_000))
    .optional(),
  /** Null: another try may work. Agents of before do not say. */
  permanent_error: z.enum(PERMANENT_ERRORS).nullable().catch(null),
  model: z.string().catch("unknown"),
  /** That another model did the work than was asked for, that it will be retired, and the like. */
  notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES).catch([]),
  usage: usageSchema.catch(NO_USAGE),
  /** Cents, may be a fraction; null where the model's price is not known. */
  cost_cents: z.number().nonnegative().nullable().catch(null),
  /** Written by the pushing step: changed files that a job may not change, and which it therefore put back. */
  put_back: z.array(z.string().max(4_096)).max(MAX_PUT_BACK).catch([]),
});

export type Result = z.infer<typeof resultSchema>;

/** The result in a file's text, or null when it is not one. */
export function parseResult(text: string): Result | null {
  return resultSchema.safeParse(parseForeignJson(text)).data ?? null;
}
