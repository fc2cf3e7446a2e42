/** The proxy's settings, from the environment that its container is started with. */
import { z } from "zod";
import { egressHost, MAX_EGRESS_HOSTS } from "../../src/wire/egress.ts";
import { plainHost, type Target } from "./allow-list.ts";

/** Where the SDK goes when it is told of nothing else. */
const PROVIDER = "https://api.anthropic.com";

const environmentSchema = z.object({
  EGRESS_ALLOWED: z
    .string({ error: "EGRESS_ALLOWED is not set" })
    .transform((text) => text.split(/\s+/).filter((host) => host !== ""))
    .pipe(z.array(egressHost).max(MAX_EGRESS_HOSTS)),
  /** Outside a container this machine alone gets in. */
  EGRESS_LISTEN: z.union([z.ipv4(), z.ipv6()], { error: "EGRESS_LISTEN is not an address" }).default("127.0.0.1"),
  ANTHROPIC_BASE_URL: z
    .string()
    .optional()
    .transform((text) => (text === undefined || text.trim() === "" ? PROVIDER : text.trim()))
    .pipe(z.url({ protocol: /^https?$/, error: "ANTHROPIC_BASE_URL is not an address" })),
});

export interface EgressSettings {
  readonly hosts: readonly string[];
  readonly listen: string;
  readonly provider: Target;
}

export type ReadEgress =
  | { readonly ok: true; readonly settings: EgressSettings }
  | { readonly ok: false; readonly reason: string };

/** All mistakes at once, in words. */
export function readEgress(environment: NodeJS.ProcessEnv): ReadEgress {
  const read = environmentSchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: read.error.issues.map((issue) => issue.message).join("; ") };
  const { EGRESS_ALLOWED: hosts, EGRESS_LISTEN: listen, ANTHROPIC_BASE_URL } = read.data;
  const url = new URL(ANTHROPIC_BASE_URL);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return { ok: true, settings: { hosts, listen, provider: { host: plainHost(url.hostname), port } } };
}
