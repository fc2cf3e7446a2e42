/** Messages from the gateway to the agent: what the run's calls have cost, and that the cost limit is reached. */
import * as z from "zod";
import { usageSchema } from "./result.ts";

/** Covers all calls of the run, including those that commands make. */
export const SPENT_PATH = "/spent";

export const spentSchema = z.object({
  /** Calls in progress count with their maximum cost. Null when the model's price is unknown. */
  cents: z.number().nonnegative().nullable(),
  /** Calls that the provider answered, completely or in part. */
  calls: z.number().int().nonnegative(),
  usage: usageSchema.omit({ turns: true }),
});

export type Spent = z.infer<typeof spentSchema>;

/** Why a call was not sent; added to the provider's error format next to type and message. */
export const costLimitSchema = z.object({
  type: z.literal("error"),
  error: z.looseObject({
    type: z.literal("billing_error"),
    cost_limit: z.object({ cap_cents: z.number(), spent_cents: z.number(), next_cents: z.number() }),
  }),
});

export type CostLimit = z.infer<typeof costLimitSchema>["error"]["cost_limit"];

/** Header of an answer whose `max_tokens` was lowered to stay within the cost limit; holds the lowered number. */
export const LOWERED_HEADER = "x-journeyman-max-tokens";
