/** What the gateway beside the agent tells it: what the run's calls have cost, and that its limit of cost is reached. */
import { z } from "zod";
import { usageSchema } from "./result.ts";

/** All calls of the run, the model's own ones by its shell included. */
export const SPENT_PATH = "/spent";

export const spentSchema = z.object({
  /** Calls under way count with what they may cost at most. Null: the model's price is not known. */
  cents: z.number().nonnegative().nullable(),
  /** Calls that the provider has answered, whole or in part. */
  calls: z.number().int().nonnegative(),
  usage: usageSchema.omit({ turns: true }),
});

export type Spent = z.infer<typeof spentSchema>;

/** In the provider's shape of an error, beside its type and message: why a call is not made. */
export const costLimitSchema = z.object({
  type: z.literal("error"),
  error: z.looseObject({
    type: z.literal("billing_error"),
    cost_limit: z.object({ cap_cents: z.number(), spent_cents: z.number(), next_cents: z.number() }),
  }),
});

export type CostLimit = z.infer<typeof costLimitSchema>["error"]["cost_limit"];

/** On an answer for which `max_tokens` was lowered: to how many, so that the run's limit of cost holds. */
export const LOWERED_HEADER = "x-journeyman-max-tokens";
