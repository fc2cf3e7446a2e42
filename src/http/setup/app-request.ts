/** What somebody at the set-up page wishes: where the server is reached, and what the App is called and whose it is. */
import * as z from "zod";
import { isUnreachable, readPublicAddress } from "./public-address.ts";

/** GitHub's limit. */
export const MAX_APP_NAME_LENGTH = 34;
const LOGIN = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/;

export interface AppRequest {
  readonly address: string;
  /** Null: of whoever is signed in to GitHub. */
  readonly organization: string | null;
  readonly name: string;
  /** Webhooks come through a new channel of smee.io. */
  readonly smee: boolean;
}

const typed = z.string().max(1_000).catch("");
const form = z.object({ address: typed, organization: typed, name: typed, smee: typed });
export type AppForm = z.infer<typeof form>;

export const appFormOf = (body: unknown): AppForm => form.parse(typeof body === "object" && body !== null ? body : {});

const BAD_NAME = `The App's name must have 1 to ${MAX_APP_NAME_LENGTH} characters.`;
const BAD_ORGANIZATION =
  "The organisation must be its name on GitHub, such as octo-org, or empty for your own account.";
const OUT_OF_REACH =
  "GitHub does not reach that address. Name one that it reaches, or let smee.io pass the webhooks on, which is for development.";

export interface Known {
  /** What the settings say; null: nothing. */
  readonly public_url: string | null;
  readonly webhook_proxy_url: string | null;
  /** A GitHub of one's own, which may reach what the internet cannot. */
  readonly enterprise: boolean;
}

/** Whether GitHub cannot send webhooks to this address itself. */
export const needsProxy = (address: string, { webhook_proxy_url, enterprise }: Known): boolean =>
  webhook_proxy_url === null && !enterprise && isUnreachable(address);

/** The request in this form, or a sentence about the first thing that is wrong with it. */
export function appRequestOf(
  { address: typed_address, organization, name, smee }: AppForm,
  known: Known,
): { readonly app_request: AppRequest } | { readonly sentence: string } {
  const read = known.public_url === null ? readPublicAddress(typed_address) : { address: known.public_url };
  if ("sentence" in read) return read;
  const { address } = read;
  const owner = organization.trim();
  if (owner !== "" && !LOGIN.test(owner)) return { sentence: BAD_ORGANIZATION };
  const called = name.trim();
  if (called === "" || called.length > MAX_APP_NAME_LENGTH) return { sentence: BAD_NAME };
  const proxied = needsProxy(address, known);
  if (proxied && smee === "") return { sentence: OUT_OF_REACH };
  return { app_request: { address, organization: owner === "" ? null : owner, name: called, smee: proxied } };
}
