/** GitHub as an issuer of identity tokens, and a federation rule of the provider that trusts it. */
import { generateKeyPairSync, sign } from "node:crypto";
import type { FederationRule, FederationSetup } from "../sandbox/model/federation.ts";

const ISSUER = "https://issuer.example.org";
export const AUDIENCE = "https://api.anthropic.com";
export const SUBJECT = "repo:acme/shop:ref:refs/heads/job/ab12cd34";
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const RULE: FederationRule = {
  ...{ id: "fdrl_1", organization: "org-1", serviceAccount: "svac_1", issuer: ISSUER, audience: AUDIENCE },
  ...{ subject: "repo:acme/shop:*", lifetimeSeconds: 3_600 },
};

export const federation = (rule: Partial<FederationRule> = {}): FederationSetup => ({
  rules: [{ ...RULE, ...rule }],
  keys: async () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1" }] }),
});

/** GitHub's tokens last five minutes. */
export function identityToken(nth: number, claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const said = { iss: ISSUER, aud: AUDIENCE, sub: SUBJECT, jti: String(nth), iat: now, exp: now + 300, ...claims };
  const signed = `${part({ alg: "RS256", kid: "1" })}.${part(said)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}
