/**
 * Sends messages to the App, each with an OIDC token of this run that GitHub issues for this App and that is renewed
 * before it expires. Returns whether the message arrived; the caller decides about retries.
 */
import type { UploaderSettings } from "./app-settings.ts";
import { exchange, type HttpResult } from "./http-request.ts";
import { type IdentityToken, requestIdentityToken } from "./identity-token.ts";

/** A token must outlive the request and clocks differ, so one with less time left is renewed. */
const MIN_LEFT_MS = 60_000;
export class AppClient {
  readonly #settings: UploaderSettings;
  readonly #now: () => number;
  #identity: IdentityToken | null = null;

  constructor(settings: UploaderSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** POSTs to `/api/runs/{job}/{what}`. */
  async tell(what: "log" | "result", body: unknown, signal: AbortSignal): Promise<HttpResult> {
    const known = this.#identity;
    const fresh = known === null || known.expiresAt - this.#now() < MIN_LEFT_MS;
    const { appUrl, jobId, headers, identity: issuer } = this.#settings;
    const identity = fresh ? await requestIdentityToken(issuer, appUrl, signal) : known;
    if (identity.kind !== "token") return identity;
    this.#identity = identity;
    const url = `${appUrl}/api/runs/${jobId}/${what}`;
    const answer = await exchange({ url, bearer: identity.token, headers, body, signal });
    // A 401 with a cached token may be the token's fault; the next message asks for a new one.
    if (answer.kind !== "refused" || answer.status !== 401 || fresh) return answer;
    this.#identity = null;
    return { kind: "later", afterMs: 0, reason: answer.reason };
  }
}
