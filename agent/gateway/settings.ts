/**
 * Settings of the gateway and of the stand-alone proxy, from environment variables. An empty variable counts as unset,
 * since workflows pass undefined variables as empty ones; an empty list of hosts means that no host is allowed.
 */
import * as z from "zod";
import { egressHost, MAX_EGRESS_HOSTS } from "../../src/contracts/egress.ts";
import { isTrusted } from "../trusted-address.ts";
import { plainHost, type Target } from "./allow-list.ts";
import { type ModelError, NO_SUCH_KEY } from "./errors.ts";

/** The SDK's default address. */
const PROVIDER = "https://api.anthropic.com";

const set = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === "" ? undefined : text.trim()));

const hosts = z
  .string({ error: "EGRESS_ALLOWED is not set" })
  .transform((text) => text.split(/\s+/).filter((host) => host !== ""))
  .pipe(z.array(egressHost).max(MAX_EGRESS_HOSTS));

/** Outside a container only this machine may connect. */
const listen = (name: string) =>
  set
    .transform((text) => text ?? "127.0.0.1")
    .pipe(z.union([z.ipv4(), z.ipv6()], { error: `${name} is not an address` }));

const number = (mistake: string, otherwise: number | undefined, fits: (value: number) => boolean) =>
  set
    .transform((text) => (text === undefined ? otherwise : Number(text)))
    .pipe(z.number({ error: mistake }).refine(fits, mistake));

const providerUrl = set
  .transform((text) => (text ?? PROVIDER).replace(/\/+$/, ""))
  .pipe(z.url({ protocol: /^https?$/, error: "ANTHROPIC_BASE_URL is not an address" }));

const HEADER_VALUE = /^[!-~]+$/;

const gatewaySchema = z.object({
  ANTHROPIC_API_KEY: set,
  ANTHROPIC_BASE_URL: providerUrl,
  ANTHROPIC_FEDERATION_RULE_ID: set,
  ANTHROPIC_ORGANIZATION_ID: set,
  ANTHROPIC_SERVICE_ACCOUNT_ID: set,
  ANTHROPIC_WORKSPACE_ID: set,
  GATEWAY_LISTEN: listen("GATEWAY_LISTEN"),
  GATEWAY_PORT: number(
    "GATEWAY_PORT is not a port number",
    0,
    (port) => Number.isInteger(port) && port >= 0 && port < 65_536,
  ),
  EGRESS_ALLOWED: hosts.optional(),
  LLM_MODEL: set.pipe(z.string({ error: "LLM_MODEL is not set" })),
  LLM_BUDGETED: set,
  LLM_MAX_COST_CENTS: number("LLM_MAX_COST_CENTS is not a number of cents", undefined, (cents) => cents > 0),
});

const egressSchema = z.object({
  EGRESS_ALLOWED: hosts,
  EGRESS_LISTEN: listen("EGRESS_LISTEN"),
  ANTHROPIC_BASE_URL: providerUrl,
});

/** Ids of the provider's account, none of which is a secret. */
export interface Federation {
  readonly ruleId: string;
  readonly organizationId: string;
  readonly serviceAccountId: string;
  readonly workspaceId: string | null;
}

export interface Provider {
  /** Without a trailing slash. */
  readonly url: string;
  /**
   * True for a gateway or local model of the repository's own, as opposed to the maker of the models in the price
   * table.
   */
  readonly own: boolean;
  /** Authentication headers; null when the provider needs a key and there is none. */
  readonly credentials: Readonly<Record<string, string>> | null;
  /** The error for calls without credentials; defaults to "the key is not set". */
  readonly no_key?: ModelError;
  /** How the run signs in without a key. */
  readonly federation?: Federation;
}

export interface GatewaySettings {
  readonly listen: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly provider: Provider;
  readonly model: string;
  readonly capCents: number;
  /** The limit is a budget's, so that a model without a price may not be called. */
  readonly budgeted?: boolean;
  /** Null: jobs reach the network without the gateway. */
  readonly hosts: readonly string[] | null;
  /** Time limit for the body of a call. */
  readonly bodyMs?: number;
}

export interface EgressSettings {
  readonly listen: string;
  readonly hosts: readonly string[];
  readonly provider: Target;
}

export type Read<Settings> =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly reason: string };

/** All mistakes at once, in words. One of a list's words is said of the list. */
const messageOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => (path.length > 1 ? `each word of ${String(path[0])} ${message}` : message))
    .join("; ");

/** Compatible servers read the key from either header; local models need no key but expect some value. */
function credentialsOf(url: string, key: string | undefined): Provider["credentials"] {
  if (url === PROVIDER) return key === undefined ? null : { "x-api-key": key };
  return { "x-api-key": key ?? "none", authorization: `Bearer ${key ?? "none"}` };
}

/** The key goes into a header, so its characters are checked. */
function accountOf(url: string, key: string | undefined): Pick<Provider, "credentials" | "no_key"> {
  if (key !== undefined && !HEADER_VALUE.test(key)) return { credentials: null, no_key: NO_SUCH_KEY };
  return { credentials: credentialsOf(url, key) };
}

/** A key counts before it. */
function federationOf(read: z.infer<typeof gatewaySchema>): Federation | string | null {
  const { ANTHROPIC_FEDERATION_RULE_ID: ruleId, ANTHROPIC_ORGANIZATION_ID: organizationId } = read;
  const { ANTHROPIC_SERVICE_ACCOUNT_ID: serviceAccountId, ANTHROPIC_WORKSPACE_ID: workspaceId = null } = read;
  if (read.ANTHROPIC_API_KEY !== undefined || ruleId === undefined) return null;
  if (organizationId === undefined) return "ANTHROPIC_ORGANIZATION_ID is not set";
  if (serviceAccountId === undefined) return "ANTHROPIC_SERVICE_ACCOUNT_ID is not set";
  if (!isTrusted(read.ANTHROPIC_BASE_URL)) return "ANTHROPIC_BASE_URL must begin with https://";
  return { ruleId, organizationId, serviceAccountId, workspaceId };
}

export function readGateway(environment: NodeJS.ProcessEnv): Read<GatewaySettings> {
  const read = gatewaySchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: messageOf(read.error) };
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url, EGRESS_ALLOWED, ...rest } = read.data;
  const federation = federationOf(read.data);
  if (typeof federation === "string") return { ok: false, reason: federation };
  return {
    ok: true,
    settings: {
      listen: rest.GATEWAY_LISTEN,
      port: rest.GATEWAY_PORT,
      provider: { url, own: url !== PROVIDER, ...accountOf(url, key), ...(federation && { federation }) },
      model: rest.LLM_MODEL,
      capCents: rest.LLM_MAX_COST_CENTS,
      ...(rest.LLM_BUDGETED === "true" ? { budgeted: true } : {}),
      hosts: EGRESS_ALLOWED ?? null,
    },
  };
}

export function readEgress(environment: NodeJS.ProcessEnv): Read<EgressSettings> {
  const read = egressSchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: messageOf(read.error) };
  const { EGRESS_ALLOWED, EGRESS_LISTEN, ANTHROPIC_BASE_URL } = read.data;
  const url = new URL(ANTHROPIC_BASE_URL);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const provider = { host: plainHost(url.hostname), port };
  return { ok: true, settings: { hosts: EGRESS_ALLOWED, listen: EGRESS_LISTEN, provider } };
}
