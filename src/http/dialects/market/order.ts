/** Parses `POST /api/jobs/run`, and collects what its estimate is based on. Read-only. */
import { hash } from "node:crypto";
import * as z from "zod";
import { PRICE_CENTS, TIME_LIMIT_SECONDS } from "../../../domain/market/bounds.ts";
import type { Quote } from "../../../engine/ports/estimates.ts";
import { repositoryField } from "../../admin/new-key.ts";
import { attachmentsField } from "../../routing/contents-field.ts";
import { MAX_TASK_LENGTH, NOT_BLANK } from "../../routing/limits.ts";

const MOST_ENV_VARS = 50;
const LONGEST_ENV_VALUE = 10_000;
const MOST_ENV_CHARACTERS = 64_000;

const says = (message: string) => ({ error: () => message });

const envVars = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, says("must be named by letters, digits and _, as in API_TOKEN.")),
    z
      .string(says("must be strings."))
      .max(LONGEST_ENV_VALUE, says(`must have at most ${LONGEST_ENV_VALUE} characters each.`)),
    says("must be an object of names and strings."),
  )
  .refine((given) => Object.keys(given).length <= MOST_ENV_VARS, says(`must be at most ${MOST_ENV_VARS}.`))
  .meta({ maxProperties: MOST_ENV_VARS })
  .refine(
    (given) => Object.values(given).reduce((sum, value) => sum + value.length, 0) <= MOST_ENV_CHARACTERS,
    says(`must have at most ${MOST_ENV_CHARACTERS} characters together.`),
  );

/** What is named counts as it is named, or not at all: nobody pays another price than the one that was sent. */
const amount = (what: string, { least, most }: { readonly least: number; readonly most: number }) => {
  const sentence = says(`must be a whole number of ${what} from ${least} to ${most}.`);
  return z
    .int(sentence)
    .min(least, sentence)
    .max(most, sentence)
    .nullish()
    .transform((value) => value ?? null);
};

export const orderSchema = z.strictObject({
  prompt: z
    .string(says("must be a string."))
    .max(MAX_TASK_LENGTH, says(`must have at most ${MAX_TASK_LENGTH} characters.`))
    .meta({ description: "What is to be done, in your own words.", pattern: NOT_BLANK }),
  envVars: envVars
    .nullish()
    .transform((given) => given ?? {})
    .meta({ description: "Secrets of the job: kept encrypted, handed to the worker at accept, shown nowhere else." }),
  attachments: attachmentsField,
  price_cents: amount("cents", PRICE_CENTS).meta({ description: "Estimated where it is left out." }),
  time_limit_seconds: amount("seconds", TIME_LIMIT_SECONDS).meta({ description: "Estimated where it is left out." }),
  confirmed: z
    .boolean(says("must be true or false."))
    .nullish()
    .transform((value) => value ?? false),
  quote_id: z
    .string(says("must be a string."))
    .max(100, says("is longer than the id of any quote."))
    .nullish()
    .transform((value) => value ?? null)
    .meta({ description: "Of the estimate that is ordered: it is ordered once, however often this is sent." }),
  repository: repositoryField.nullish().transform((value) => value ?? null),
});

export type Order = z.infer<typeof orderSchema>;

const digest = (parts: readonly unknown[]): string => hash("sha256", JSON.stringify(parts), "hex");

/** What the estimate rests on, whole and without the numbers that the sender may have named. */
export function estimateRequestOf(order: Order, repository: string): Pick<Quote, "body" | "prompt"> {
  const { price_cents, time_limit_seconds } = order;
  const subject = [repository.toLowerCase(), order.prompt.trim()];
  return { body: digest([...subject, price_cents, time_limit_seconds]), prompt: digest(subject) };
}
