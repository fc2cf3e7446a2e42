/** Validates addresses for webhooks and callbacks while the caller can still correct them. */
import * as z from "zod";
import type { Webhooks } from "../../engine/ports/webhooks.ts";

const says = (message: string) => ({ error: () => message });

export const targetField = (webhooks: Pick<Webhooks, "validateTarget">) =>
  z
    .string(says("must be a string."))
    .refine((url) => webhooks.validateTarget(url) === null, {
      error: ({ input }) => webhooks.validateTarget(String(input)) ?? "is refused.",
    })
    .meta({
      format: "uri",
      description: "`https://`, on the public internet, without user name and password; at most 2000 characters.",
    });

/** Where a new job's events go, beside those who subscribe. */
export const callbackField = (webhooks: Pick<Webhooks, "validateTarget">) =>
  targetField(webhooks)
    .nullish()
    .transform((value) => value ?? null)
    .meta({ description: "All events of this job are sent there, signed with the secret of `default` webhooks." });
