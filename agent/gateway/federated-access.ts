/**
 * Access without a key: the provider exchanges an identity token of this run, signed by GitHub, for an access token of
 * some minutes, if a federation rule of the provider's account matches it. Exchange and cache are the SDK's. Each
 * exchange gets a token that was not used before, since the provider may take each only once.
 */
import { oidcFederationProvider } from "@anthropic-ai/sdk/lib/credentials/oidc-federation";
import { TokenCache } from "@anthropic-ai/sdk/lib/credentials/token-cache";
import { OAUTH_API_BETA_HEADER } from "@anthropic-ai/sdk/lib/credentials/types";
import type { Access, Authorized } from "./access.ts";
import type { ModelError } from "./errors.ts";
import { federationError, NoIdentity } from "./federation-errors.ts";
import type { AskIdentity } from "./identity-tokens.ts";
import { createKeyRedactor, type KeyRedactor } from "./key-redactor.ts";
import { callProvider } from "./provider-call.ts";
import { readBody } from "./read-body.ts";
import type { Federation } from "./settings.ts";

const ANSWER = { bytes: 64 * 1024, ms: 30_000 };
/** A refusal is answered for so long without another exchange, however often the model's programs call. */
const REFUSED_MS = 10_000;

export interface FederationPorts {
  /** Of the provider. */
  readonly url: string;
  readonly federation: Federation;
  readonly askIdentity: AskIdentity;
  readonly now: () => number;
}

/** The exchange as one of the gateway's own calls, with their limits. */
async function exchange(url: string, init: RequestInit = {}): Promise<Response> {
  const { origin, pathname } = new URL(url);
  const headers = Object.fromEntries(new Headers(init.headers));
  const call = { method: "POST", path: pathname, headers, body: String(init.body) } as const;
  const called = await callProvider(origin, call, AbortSignal.timeout(ANSWER.ms));
  if (!called.ok) throw new Error(called.reason);
  const { statusCode = 0 } = called.response;
  const body = await readBody(called.response, ANSWER);
  if (!body.ok) called.response.destroy();
  if (!body.ok || statusCode < 200) throw new Error("the answer broke off");
  return new Response(body.text === "" ? null : body.text, { status: statusCode });
}

interface Redaction {
  readonly token: string;
  readonly redactor: KeyRedactor;
}

export class FederatedAccess implements Access {
  readonly #ports: FederationPorts;
  readonly #tokens: TokenCache;
  #identity = "";
  #redaction: Redaction | null = null;
  #refused: { readonly error: ModelError; readonly until: number } | null = null;

  constructor(ports: FederationPorts) {
    this.#ports = ports;
    const { ruleId, organizationId, serviceAccountId, workspaceId } = ports.federation;
    const provider = oidcFederationProvider({
      identityTokenProvider: () => this.#askIdentity(),
      federationRuleId: ruleId,
      organizationId,
      serviceAccountId,
      ...(workspaceId === null ? {} : { workspaceId }),
      baseURL: ports.url,
      fetch: (url, init) => exchange(String(url), init),
    });
    this.#tokens = new TokenCache(provider);
  }

  async authorize(): Promise<Authorized> {
    const { federation, now } = this.#ports;
    if (this.#refused !== null && now() < this.#refused.until) return { ok: false, error: this.#refused.error };
    try {
      const token = await this.#tokens.getToken();
      const redactor = this.#redactorOf(token);
      const headers = { authorization: `Bearer ${token}` };
      return { ok: true, authorization: { headers, betas: [OAUTH_API_BETA_HEADER], redactor } };
    } catch (caught) {
      const error = federationError(caught, federation, this.#identity);
      if (error.type === "authentication_error") this.#refused = { error, until: now() + REFUSED_MS };
      return { ok: false, error };
    }
  }

  renew(): boolean {
    this.#tokens.invalidate();
    return true;
  }

  async #askIdentity(): Promise<string> {
    const answer = await this.#ports.askIdentity();
    if ("reason" in answer) throw new NoIdentity(answer.reason, answer.again);
    this.#identity = answer.token;
    return answer.token;
  }

  /** Answers to calls that began before a renewal may quote the token of before. */
  #redactorOf(token: string): KeyRedactor {
    if (this.#redaction?.token !== token)
      this.#redaction = { token, redactor: createKeyRedactor([token, this.#redaction?.token ?? ""]) };
    return this.#redaction.redactor;
  }
}
