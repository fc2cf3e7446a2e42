/**
 * The result: written by the agent to `.jobs/{id}/result.json`. The App parses it leniently: unknown keys are ignored,
 * missing ones get a neutral value, and an invalid file differs from a missing one.
 */
import * as z from "zod";
import { parseForeignJson } from "../text/json-bounds.ts";
import { head } from "../text/text.ts";
import { decisionsSchema } from "./conflicts.ts";
import { providerWords } from "./provider-words.ts";
import { MAX_REPLY, MAX_REVIEW_COMMENTS } from "./review.ts";

/** Restored files that a result lists; the run's log lists all of them. */
export const MAX_PUT_BACK = 100;

/** Maximum number of notes about the model, and their maximum length. */
export const MAX_NOTES = 10;
export const MAX_NOTE = 600;

/** Why a run could not push: somebody else did meanwhile. The App compares it, and begins anew. */
export const MOVED_MEANWHILE = "got other commits that change the same files";

export const OUTCOMES = ["done", "nothing_to_do", "question", "refused", "limit", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Errors that make every further attempt fail until a person acts, so no retry follows. Used only when certain: a
 * possibly temporary error is not listed.
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

/** A reply that cannot be read is left out, and the others are kept; of several to one comment, the last. */
const repliesSchema = z
  .array(
    z
      .object({
        id: z.number().int().positive(),
        body: z
          .string()
          .max(50_000)
          .transform((text) => head(text.trim(), MAX_REPLY)),
        done: z.boolean().catch(false),
      })
      .nullable()
      .catch(null),
  )
  .max(10 * MAX_REVIEW_COMMENTS)
  .transform((all) => {
    const read = all.flatMap((one) => (one === null || one.body === "" ? [] : [[one.id, one] as const]));
    return [...new Map(read).values()].slice(0, MAX_REVIEW_COMMENTS);
  })
  .catch([]);

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
  /** Null: another attempt may succeed. Older agents do not set it. */
  permanent_error: z.enum(PERMANENT_ERRORS).nullable().catch(null),
  /** Set by the pushing step: Docker could not get the image that the agent was to run in. */
  image_missing: z.boolean().catch(false),
  /** Set by the pushing step: the image that the settings name could not be set up. Older actions do not set it. */
  set_up_failed: z.boolean().catch(false),
  /** Answers to the review comments of the brief. Older agents give none. */
  replies: repliesSchema,
  /** What counts of each file that conflicts without a marker. Older agents decide none. */
  conflicts: decisionsSchema,
  model: z.string().catch("unknown"),
  /** Notes, such as: another model than requested did the work, or the model will be retired. */
  notes: z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES).catch([]),
  usage: usageSchema.catch(NO_USAGE),
  /** Cents, possibly fractional; null when the model's price is unknown. */
  cost_cents: z.number().nonnegative().nullable().catch(null),
  /** Set by the pushing step: files that a job may not change and that were restored. */
  put_back: z.array(z.string().max(4_096)).max(MAX_PUT_BACK).catch([]),
});

export type Result = z.infer<typeof resultSchema>;

/** Parses a result file; null when it is not a result. */
export function parseResult(text: string): Result | null {
  return resultSchema.safeParse(parseForeignJson(text)).data ?? null;
}
