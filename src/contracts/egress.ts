/**
 * Restricted network access of the agent: valid host names in the repository's settings, and the format of the proxy's
 * refusals.
 */
import * as z from "zod";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/**
 * The last label contains a letter and is not hexadecimal; otherwise the name would be an IP address in some notation.
 */
const LAST_LABEL = `(?!0x)(?=[a-z0-9-]*[a-z])${LABEL}`;
const HOST = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)+${LAST_LABEL}$`);

export const MAX_EGRESS_HOSTS = 100;

/** `registry.npmjs.org`, or `*.npmjs.org` for every name below it. */
export const egressHost = z
  .string()
  .toLowerCase()
  .max(253)
  .regex(
    HOST,
    "is a host name such as registry.npmjs.org, or *.npmjs.org for every name below it, without scheme, port or path; IP addresses are not allowed",
  );

/** Requested directly from the proxy; returns the refusals after the given number. */
export const REFUSALS_PATH = "/refusals";

export const refusalsSchema = z.object({
  refusals: z.array(z.object({ seq: z.number().int().positive(), sentence: z.string().max(1_000) })),
});

export type Refusal = z.infer<typeof refusalsSchema>["refusals"][number];
