/**
 * Messages of the gateway: to the agent what the run's calls have cost and why one was not sent, and to the run action
 * that it needs an identity token of the run.
 */
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

/** Why the run has no access to the provider; added to the provider's error format. The message is a whole sentence. */
export const noAccessSchema = z.object({
  type: z.literal("error"),
  error: z.looseObject({
    type: z.literal("authentication_error"),
    message: z.string(),
    no_access: z.enum(["key_missing", "key_refused"]),
  }),
});

export type NoAccess = z.infer<typeof noAccessSchema>["error"]["no_access"];

/** A line of the gateway's output; the run action answers each with one line of JSON on the gateway's input. */
export const IDENTITY_TOKEN_WANTED = "The gateway asks for an identity token of this run.";

export const identityAnswerSchema = z.union([
  z.object({ token: z.string().min(1) }),
  /** Without a full stop. `again`: another attempt may succeed. */
  z.object({ reason: z.string(), again: z.boolean() }),
]);

export type IdentityAnswer = z.infer<typeof identityAnswerSchema>;

export type CostLimit = z.infer<typeof costLimitSchema>["error"]["cost_limit"];

/** Header of an answer whose `max_tokens` was lowered to stay within the cost limit; holds the lowered number. */
export const LOWERED_HEADER = "x-journeyman-max-tokens";
