/**
 * Sends messages to the App, each with an OIDC token of this run that GitHub issues for this App and that is renewed
 * before it expires. Returns whether the message arrived; the caller decides about retries.
 */
import * as z from "zod";
import { Secret } from "../../../src/contracts/secret.ts";
import type { UploaderSettings } from "./app-settings.ts";
import { exchange, type HttpResult } from "./http-request.ts";

/** A token must outlive the request and clocks differ, so one with less time left is renewed. */
const MIN_LEFT_MS = 60_000;
const UNREADABLE = "GitHub's answer holds no identity token";

const answerSchema = z.object({ value: z.string().min(1) });
const claimsSchema = z.object({ exp: z.number() });

interface Identity {
  readonly token: Secret;
  readonly expiresAt: number;
}

export class AppClient {
  readonly #settings: UploaderSettings;
  readonly #now: () => number;
  #identity: Identity | null = null;

  constructor(settings: UploaderSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** POSTs to `/api/runs/{job}/{what}`. */
  async tell(what: "log" | "result", body: unknown, signal: AbortSignal): Promise<HttpResult> {
    const known = this.#identity;
    const fresh = known === null || known.expiresAt - this.#now() < MIN_LEFT_MS;
    const identity = fresh ? await this.#ask(signal) : known;
    if ("kind" in identity) return identity;
    this.#identity = identity;
    const { appUrl, jobId, headers } = this.#settings;
    const url = `${appUrl}/api/runs/${jobId}/${what}`;
    const answer = await exchange({ url, bearer: identity.token, headers, body, signal });
    // A 401 with a cached token may be the token's fault; the next message asks for a new one.
    if (answer.kind !== "refused" || answer.status !== 401 || fresh) return answer;
    this.#identity = null;
    return { kind: "later", afterMs: 0, reason: answer.reason };
  }

  async #ask(signal: AbortSignal): Promise<Identity | HttpResult> {
    const { identity, appUrl } = this.#settings;
    const url = new URL(identity.url);
    url.searchParams.set("audience", appUrl);
    const answer = await exchange({ url: url.href, bearer: identity.bearer, signal });
    if (answer.kind !== "done") return answer;
    const read = answerSchema.safeParse(answer.body);
    if (!read.success) return { kind: "later", afterMs: null, reason: UNREADABLE };
    return { token: new Secret(read.data.value), expiresAt: expiryOf(read.data.value) };
  }
}

/** Returns 0, which forces a new token each time, if the token names no expiry. */
function expiryOf(token: string): number {
  try {
    const body = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    return claimsSchema.parse(JSON.parse(body)).exp * 1000;
  } catch {
    return 0;
  }
}
