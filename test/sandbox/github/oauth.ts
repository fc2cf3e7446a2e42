/**
 * OAuth for Apps: the client, codes for user-to-server tokens, and errors of token requests in GitHub's own words, so
 * that code that matches them is tested. Independent of HTTP.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { User } from "./model.ts";

/** GitHub forgets a code after ten minutes. */
const CODE_LIFE_MS = 600_000;
const DOCUMENTATION =
  "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";

export interface OauthError {
  readonly error: string;
  readonly error_description: string;
  readonly error_uri: string;
}

const problem = (error: string, error_description: string, part: string): OauthError => ({
  error,
  error_description,
  error_uri: `${DOCUMENTATION}#${part}`,
});

const WRONG_CLIENT = problem(
  "incorrect_client_credentials",
  "The client_id and/or client_secret passed are incorrect.",
  "incorrect-client-credentials",
);
const WRONG_REDIRECT = problem(
  "redirect_uri_mismatch",
  "The redirect_uri MUST match the registered callback URL for this application.",
  "redirect-uri-mismatch2",
);
const WRONG_CODE = problem(
  "bad_verification_code",
  "The code passed is incorrect or expired.",
  "bad-verification-code",
);

interface Code {
  readonly user: User;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly expiresAt: number;
}

export interface Exchange {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly code: string;
  readonly redirectUri: string | undefined;
  readonly verifier: string | undefined;
}

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export class Oauth {
  readonly clientId = `Iv23li${randomBytes(7).toString("hex")}`;
  readonly clientSecret = randomBytes(20).toString("hex");
  readonly #now: () => number;
  readonly #codes = new Map<string, Code>();
  #callbacks: readonly string[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The callback URLs of the App's settings; the first is the default. */
  get callbacks(): readonly string[] {
    return this.#callbacks;
  }

  setCallbacks(urls: readonly string[]): void {
    this.#callbacks = urls;
  }

  isClient(id: string, secret: string): boolean {
    return same(id, this.clientId) && same(secret, this.clientSecret);
  }

  code(user: User, redirectUri: string, challenge: string | undefined): string {
    const value = randomBytes(10).toString("hex");
    this.#codes.set(value, { user, redirectUri, challenge, expiresAt: this.#now() + CODE_LIFE_MS });
    return value;
  }

  /** The user of the code. A code works once, even if the exchange fails. */
  exchange(asked: Exchange): User | OauthError {
    if (!this.isClient(asked.clientId, asked.clientSecret)) return WRONG_CLIENT;
    const code = this.#codes.get(asked.code);
    this.#codes.delete(asked.code);
    if (code === undefined || code.expiresAt <= this.#now()) return WRONG_CODE;
    if (asked.redirectUri !== undefined && asked.redirectUri !== code.redirectUri) return WRONG_REDIRECT;
    const proof = createHash("sha256")
      .update(asked.verifier ?? "")
      .digest("base64url");
    if (code.challenge !== undefined && !same(proof, code.challenge)) return WRONG_CODE;
    return code.user;
  }
}

/** The parameters that GitHub adds to the callback's address on an error or a denial. */
export const callbackErrors = {
  denied: {
    error: "access_denied",
    error_description: "The user has denied your application access.",
    error_uri: "/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#access-denied",
  },
  redirect: WRONG_REDIRECT,
} as const;
