/**
 * Identifies a person by GitHub's OAuth web flow with state and PKCE. The token is used for one request and then
 * revoked. Does not decide what the person may do.
 */
import * as oauth from "oauth4webapi";
import * as z from "zod";
import type { Secret } from "../../contracts/secret.ts";
import type { GitHubPerson } from "../../engine/ports/accounts.ts";
import type { SignedIn, SignIn } from "../../engine/ports/sign-in.ts";
import { UnreadableAnswer } from "./errors.ts";
import { CALL_TIMEOUT_MS } from "./transport.ts";
import { USER_AGENT } from "./user-agent.ts";

export interface SignInParts {
  readonly client_id: string;
  readonly client_secret: Secret;
  /** Must be registered as a callback URL of the App. */
  readonly redirect_uri: string;
  readonly web_url: string;
  readonly api_url: string;
  /** Called when a token could not be revoked; it expires after eight hours. */
  readonly kept: (error: unknown) => void;
}

type Unsigned = Extract<SignedIn, { signed_in: false }>["why"];

const userSchema = z.object({ id: z.number().int().positive(), login: z.string().min(1) });
/** GitHub reports a failed exchange with status 200, which clients do not expect. */
const exchangeError = z.object({ error: z.string() });

const not = (why: Unsigned): SignedIn => ({ signed_in: false, why });

/** GitHub's error codes for mistakes in this server's configuration. */
const MISCONFIGURED = ["incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended"];

const reasonOf = (error: string): Unsigned => (MISCONFIGURED.includes(error) ? "misconfigured" : "spent");

export function createSignIn(parts: SignInParts): SignIn {
  const server: oauth.AuthorizationServer = {
    issuer: `${parts.web_url}/login/oauth`,
    authorization_endpoint: `${parts.web_url}/login/oauth/authorize`,
    token_endpoint: `${parts.web_url}/login/oauth/access_token`,
  };
  const client: oauth.Client = { client_id: parts.client_id };
  const call = () => ({
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    headers: { "user-agent": USER_AGENT },
    // Plain HTTP is allowed only for a GitHub that GHE_PROTOCOL configures so.
    [oauth.allowInsecureRequests]: parts.web_url.startsWith("http:"),
  });

  const exchange = async (
    parameters: URLSearchParams,
    verifier: string,
  ): Promise<{ readonly token: string } | { readonly why: Unsigned }> => {
    const secret = oauth.ClientSecretPost(parts.client_secret.reveal());
    const { redirect_uri } = parts;
    const request = [server, client, secret, parameters, redirect_uri, verifier, call()] as const;
    const response = await oauth.authorizationCodeGrantRequest(...request);
    const said: unknown = response.ok
      ? await response
          .clone()
          .json()
          .catch(() => null)
      : null;
    const error = exchangeError.safeParse(said);
    if (error.success) return { why: reasonOf(error.data.error) };
    return { token: (await oauth.processAuthorizationCodeResponse(server, client, response)).access_token };
  };

  const personOf = async (token: string): Promise<GitHubPerson> => {
    const accept = new Headers({ accept: "application/vnd.github+json", "user-agent": USER_AGENT });
    const url = new URL(`${parts.api_url}/user`);
    const response = await oauth.protectedResourceRequest(token, "GET", url, accept, null, call());
    const user = userSchema.safeParse(await response.json().catch(() => null));
    if (!response.ok || !user.success) throw new UnreadableAnswer("of GET /user");
    return user.data;
  };

  return {
    async begin() {
      const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
      const address = new URL(`${parts.web_url}/login/oauth/authorize`);
      address.search = new URLSearchParams({
        client_id: parts.client_id,
        redirect_uri: parts.redirect_uri,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      }).toString();
      return { address: address.href, state, verifier };
    },

    async finish(came_back_with, { state, verifier }) {
      const answer = validated(server, client, came_back_with, state);
      if (typeof answer === "string") return not(answer);
      const exchanged = await exchange(answer, verifier);
      if ("why" in exchanged) return not(exchanged.why);
      try {
        return { signed_in: true, person: await personOf(exchanged.token) };
      } finally {
        await takeBack(parts, exchanged.token);
      }
    },
  };
}

/** Tries once: the token was shown to nobody and expires by itself. */
async function takeBack(parts: SignInParts, access_token: string): Promise<void> {
  const basic = Buffer.from(`${parts.client_id}:${parts.client_secret.reveal()}`).toString("base64");
  try {
    const response = await fetch(`${parts.api_url}/applications/${encodeURIComponent(parts.client_id)}/token`, {
      method: "DELETE",
      headers: { authorization: `Basic ${basic}`, "content-type": "application/json", "user-agent": USER_AGENT },
      body: JSON.stringify({ access_token }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    if (!response.ok) parts.kept(new Error(`GitHub answered ${response.status}`));
  } catch (error) {
    parts.kept(error);
  }
}

/**
 * Returns the callback's parameters when they match our request and hold a code; otherwise the reason. Compares the
 * state first.
 */
function validated(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  came_back_with: URLSearchParams,
  state: string,
): URLSearchParams | Unsigned {
  try {
    const parameters = oauth.validateAuthResponse(server, client, came_back_with, state);
    const [code = "", ...more] = parameters.getAll("code");
    return code !== "" && more.length === 0 ? parameters : "forged";
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError)
      return error.error === "access_denied" ? "denied" : reasonOf(error.error);
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
      return "forged";
    throw error;
  }
}
