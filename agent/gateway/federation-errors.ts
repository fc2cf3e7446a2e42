/** Why this run could not sign in to the provider without a key, as a sentence that says what to check. */
import { WorkloadIdentityError } from "@anthropic-ai/sdk/lib/credentials/types";
import * as z from "zod";
import { blanker } from "../../src/contracts/redact.ts";
import { head } from "../../src/text/text.ts";
import type { ModelError } from "./errors.ts";
import type { Federation } from "./settings.ts";

const MAX_WORDS = 300;

/** GitHub or the run action gave no token. */
export class NoIdentity extends Error {
  readonly again: boolean;

  constructor(reason: string, again: boolean) {
    super(reason);
    this.again = again;
  }
}

const words = (text: string): string => head(text.replace(/[\p{C}\s`]+/gu, " ").trim(), MAX_WORDS).replace(/\.$/, "");

const claimsSchema = z.object({ sub: z.string(), aud: z.string() });

/** What the provider compares its rule with. It does not say itself why it refuses. */
function claimsIn(token: string): string {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    const { sub, aud } = claimsSchema.parse(JSON.parse(payload));
    return `the subject \`${words(sub)}\` and the audience \`${words(aud)}\``;
  } catch {
    return "claims that cannot be read";
  }
}

const refusalSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** The provider's own words, such as `invalid_grant`. */
function refusalIn(body: unknown, blank: (text: string) => string): string | null {
  try {
    const { error, error_description: description } = refusalSchema.parse(JSON.parse(String(body)));
    return words(blank(description === undefined ? error : `${error}: ${description}`));
  } catch {
    return null;
  }
}

const REFUSALS: ReadonlySet<number | null> = new Set([400, 401, 403, 404, 422]);

/** `identity`: the token that was to be exchanged. An error that may pass has the type `api_error`. */
export function federationError(error: unknown, federation: Federation, identity: string): ModelError {
  const blank = blanker([identity]);
  if (error instanceof NoIdentity) {
    const message = `GitHub gave no identity token for this run: ${words(error.message)}.`;
    if (error.again) return { type: "api_error", message };
    return { type: "authentication_error", message, no_access: "key_refused" };
  }
  if (!(error instanceof WorkloadIdentityError) || !REFUSALS.has(error.statusCode)) {
    const reason = words(blank(error instanceof Error ? error.message : String(error)));
    return { type: "api_error", message: `The provider did not exchange this run's identity: ${reason}.` };
  }
  const refusal = refusalIn(error.body, blank);
  const why = refusal === null ? `${error.statusCode}` : `${error.statusCode}, ${refusal}`;
  return {
    type: "authentication_error",
    message:
      `The provider refused this run's identity (${why}). Check in its console that the federation rule ` +
      `${federation.ruleId} belongs to the organization ${federation.organizationId}, leads to the service account ` +
      `${federation.serviceAccountId}, and matches a token with ${claimsIn(identity)}.`,
    no_access: "key_refused",
  };
}
