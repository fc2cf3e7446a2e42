/**
 * The run signs in to the model's provider without a key: the gateway asks for an identity token of this run, which the
 * provider exchanges for a token of its own. The right to ask GitHub for one stays with this process.
 */
import type { Writable } from "node:stream";
import type { IdentityAnswer } from "../../src/contracts/gateway.ts";
import { isTrusted } from "../trusted-address.ts";
import { requestIdentityToken, type TokenIssuer } from "./report/identity-token.ts";

/** What the provider expects in tokens of GitHub's, unless a rule of its names another. */
const AUDIENCE = "https://api.anthropic.com";
/** An id of the provider's; none is a secret. */
const ID = /^[\w-]{1,200}$/;

const REQUIRED = ["anthropic_federation_rule_id", "anthropic_organization_id", "anthropic_service_account_id"] as const;
const OPTIONAL = ["anthropic_workspace_id"] as const;

export interface FederationInputs {
  /** Of an input; empty when it is not given. */
  readonly input: (name: string) => string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly issuer: TokenIssuer | null;
}

export interface Federation {
  readonly issuer: TokenIssuer;
  /** For the gateway. */
  readonly variables: Readonly<Record<string, string>>;
}

const givenIn = (input: FederationInputs["input"]): string[] =>
  [...REQUIRED, ...OPTIONAL].filter((name) => input(name) !== "");

/** What the key takes the place of, in a sentence. */
export const unusedFederation = ({ input, apiKey }: Pick<FederationInputs, "input" | "apiKey">): string | null =>
  apiKey === "" || givenIn(input).length === 0
    ? null
    : "The input `anthropic_api_key` is given, so the key is used and the run does not sign in with its identity.";

/** Null: nobody asked for it. A string: what is wrong, without a full stop. */
export function readFederation({ input, apiKey, baseUrl, issuer }: FederationInputs): Federation | string | null {
  const given = givenIn(input);
  if (apiKey !== "" || given.length === 0) return null;
  const missing = REQUIRED.find((name) => input(name) === "");
  if (missing !== undefined)
    return `the input \`${missing}\` is not set; without a key the model's provider needs ${REQUIRED.map((name) => `\`${name}\``).join(", ")}`;
  const wrong = given.find((name) => !ID.test(input(name)));
  if (wrong !== undefined) return `the input \`${wrong}\` is not an id of the model's provider`;
  if (issuer === null)
    return "this workflow lacks the permission `id-token: write`, without which it cannot sign in to the model's provider";
  if (baseUrl !== "" && !isTrusted(baseUrl))
    return "the input `anthropic_base_url` must begin with https:// where there is no key";
  return { issuer, variables: Object.fromEntries(given.map((name) => [name.toUpperCase(), input(name)])) };
}

export interface IdentityPorts {
  readonly issuer: TokenIssuer;
  /** The gateway's standard input. */
  readonly input: Writable;
  readonly mask: (secret: string) => void;
}

/** Answers the gateway once. */
export async function sendIdentityToken({ issuer, input, mask }: IdentityPorts): Promise<void> {
  const asked = await requestIdentityToken(issuer, AUDIENCE, new AbortController().signal);
  if (asked.kind === "token") mask(asked.token.reveal());
  const answer: IdentityAnswer =
    asked.kind === "token" ? { token: asked.token.reveal() } : { reason: asked.reason, again: asked.kind === "later" };
  input.write(`${JSON.stringify(answer)}\n`);
}
