/**
 * The agent's way out, where the repository's settings narrow it: which hosts these may name, and what the proxy tells
 * the agent of what it refused.
 */
import { z } from "zod";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** The last label has a letter that is part of no number: else it is an address, in whatever way it is written. */
const LAST_LABEL = `(?!0x)(?=[a-z0-9-]*[a-z])${LABEL}`;
const HOST = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)+${LAST_LABEL}$`);

export const MAX_EGRESS_HOSTS = 100;

/** `registry.npmjs.org`, or `*.npmjs.org` for what lies below it. */
export const egressHost = z
  .string()
  .toLowerCase()
  .max(253)
  .regex(
    HOST,
    "is a host's name such as registry.npmjs.org, or *.npmjs.org for all below it, without scheme, port, path or address",
  );

/** Asked for without a proxy in between: what was refused after the one with this number. */
export const REFUSALS_PATH = "/refusals";

export const refusalsSchema = z.object({
  refusals: z.array(z.object({ seq: z.number().int().positive(), sentence: z.string().max(1_000) })),
});

export type Refusal = z.infer<typeof refusalsSchema>["refusals"][number];
