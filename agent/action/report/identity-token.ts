/** Asks GitHub for an identity token (OIDC) of this run, which only its audience accepts. */
import * as z from "zod";
import { Secret } from "../../../src/contracts/secret.ts";
import { exchange, type HttpResult } from "./http-request.ts";

const UNREADABLE = "GitHub's answer holds no identity token";

const answerSchema = z.object({ value: z.string().min(1) });
const claimsSchema = z.object({ exp: z.number() });

/** Where GitHub issues this run's identity tokens, and the credential for it. */
export interface TokenIssuer {
  readonly url: string;
  readonly bearer: Secret;
}

export interface IdentityToken {
  readonly kind: "token";
  readonly token: Secret;
  readonly expiresAt: number;
}

export async function requestIdentityToken(
  issuer: TokenIssuer,
  audience: string,
  signal: AbortSignal,
): Promise<IdentityToken | Exclude<HttpResult, { kind: "done" }>> {
  const url = new URL(issuer.url);
  url.searchParams.set("audience", audience);
  const answer = await exchange({ url: url.href, bearer: issuer.bearer, signal });
  if (answer.kind !== "done") return answer;
  const read = answerSchema.safeParse(answer.body);
  if (!read.success) return { kind: "later", afterMs: null, reason: UNREADABLE };
  return { kind: "token", token: new Secret(read.data.value), expiresAt: expiryOf(read.data.value) };
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
