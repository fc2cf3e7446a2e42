/**
 * The provider's token endpoint: exchanges an identity token of a workflow's run for an access token of some minutes, if
 * a federation rule matches it. Says no more of a refusal than `invalid_grant`, as the real one does.
 */
import { createPublicKey, randomBytes, verify } from "node:crypto";
import * as z from "zod";

export const TOKEN_PATH = "/v1/oauth/token";
const ACCESS_BETA = "oauth-2025-04-20";
const EXCHANGE_BETA = "oidc-federation-2026-04-01";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_PREFIX = "sk-ant-oat01-";
const SHORTEST_S = 60;
const ASSERTION_LIMIT = 16 * 1024;

export interface FederationRule {
  readonly id: string;
  readonly organization: string;
  readonly serviceAccount: string;
  readonly issuer: string;
  readonly audience: string;
  /** A prefix if it ends with `*`. */
  readonly subject: string;
  readonly claims?: Readonly<Record<string, string>>;
  readonly lifetimeSeconds: number;
}

export interface FederationSetup {
  readonly rules: readonly FederationRule[];
  /** The issuer's JSON Web Key Set. */
  readonly keys: (issuer: string) => Promise<unknown>;
}

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) });
const headerSchema = z.object({ alg: z.literal("RS256"), kid: z.string() });
const claimsSchema = z.looseObject({
  ...{ iss: z.string(), aud: z.string(), sub: z.string(), jti: z.string() },
  ...{ iat: z.number(), nbf: z.number().optional(), exp: z.number() },
});
const requestSchema = z.object({
  ...{ grant_type: z.literal(GRANT), assertion: z.string().max(ASSERTION_LIMIT) },
  ...{ federation_rule_id: z.string(), organization_id: z.string(), service_account_id: z.string().optional() },
  workspace_id: z.string().optional(),
});

export interface Said {
  readonly status: number;
  readonly body: unknown;
}

const refused = (status: number, error: string, description: string): Said => ({
  status,
  body: { error, error_description: description },
});
const INVALID = refused(401, "invalid_grant", "The assertion is not accepted.");

export class Federation {
  readonly #setup: FederationSetup;
  readonly #now: () => number;
  /** The expiry time of each access token. */
  readonly #tokens = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #exchanges: Said[] = [];

  constructor(setup: FederationSetup, now: () => number) {
    this.#setup = setup;
    this.#now = now;
  }

  /** All answers so far. */
  get exchanges(): readonly Said[] {
    return this.#exchanges;
  }

  /** Revokes all access tokens, like an administrator. */
  revoke(): void {
    this.#tokens.clear();
  }

  isAccessToken = (key: string): boolean => key.startsWith(TOKEN_PREFIX);

  /** Why a call with this access token is refused; null when it is not. */
  refusal(token: string, betas: string): string | null {
    if ((this.#tokens.get(token) ?? 0) <= this.#now()) return "OAuth token has expired or is unknown";
    return betas.split(",").includes(ACCESS_BETA) ? null : "OAuth authentication is currently not supported";
  }

  async exchange(body: unknown, betas: string): Promise<Said> {
    const said = await this.#answer(body, betas);
    this.#exchanges.push(said);
    return said;
  }

  async #answer(body: unknown, betas: string): Promise<Said> {
    const named = betas.split(",");
    if (!named.includes(ACCESS_BETA) || !named.includes(EXCHANGE_BETA))
      return refused(400, "invalid_request", "The beta headers are missing.");
    const read = requestSchema.safeParse(body);
    if (!read.success) return refused(400, "invalid_request", "The request is not a jwt-bearer grant.");
    const { assertion, federation_rule_id, organization_id, service_account_id } = read.data;
    const rule = this.#setup.rules.find(({ id }) => id === federation_rule_id);
    if (rule === undefined || rule.organization !== organization_id) return INVALID;
    if (service_account_id !== undefined && service_account_id !== rule.serviceAccount) return INVALID;
    const claims = await this.#verified(assertion, rule);
    if (claims === null || !matches(rule, claims) || this.#used.has(claims.jti)) return INVALID;
    this.#used.add(claims.jti);
    const left = claims.exp - Math.floor(this.#now() / 1000);
    const seconds = Math.max(SHORTEST_S, Math.min(rule.lifetimeSeconds, 2 * left));
    const token = `${TOKEN_PREFIX}${randomBytes(48).toString("base64url")}`;
    this.#tokens.set(token, this.#now() + seconds * 1000);
    return { status: 200, body: { access_token: token, token_type: "Bearer", expires_in: seconds } };
  }

  async #verified(assertion: string, rule: FederationRule): Promise<z.infer<typeof claimsSchema> | null> {
    const [head = "", payload = "", signature = ""] = assertion.split(".");
    const header = headerSchema.safeParse(part(head));
    const claims = claimsSchema.safeParse(part(payload));
    if (!header.success || !claims.success || claims.data.iss !== rule.issuer) return null;
    const { keys } = keySetSchema.parse(await this.#setup.keys(rule.issuer));
    const key = keys.find(({ kid }) => kid === header.data.kid);
    if (key === undefined) return null;
    const signed = Buffer.from(`${head}.${payload}`);
    const publicKey = createPublicKey({ key, format: "jwk" });
    if (!verify("sha256", signed, publicKey, Buffer.from(signature, "base64url"))) return null;
    const now = this.#now() / 1000;
    return claims.data.exp > now && (claims.data.nbf ?? 0) <= now ? claims.data : null;
  }
}

function part(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return null;
  }
}

function matches(rule: FederationRule, claims: Readonly<Record<string, unknown>>): boolean {
  const subject = String(claims.sub);
  const fits = rule.subject.endsWith("*") ? subject.startsWith(rule.subject.slice(0, -1)) : subject === rule.subject;
  const others = Object.entries(rule.claims ?? {}).every(([name, value]) => claims[name] === value);
  return fits && others && claims.aud === rule.audience;
}
