/**
 * Handles the return from GitHub's sign-in: identifies the person, checks whether they may have the requested key, and
 * creates it. Attempts of identified people go to the audit log.
 */
import * as z from "zod";
import type { Via } from "../../domain/job/command.ts";
import type { AccountStore } from "../../engine/ports/accounts.ts";
import type { Recorder } from "../../engine/ports/audit.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import type { KeyStore, StoredKey } from "../../engine/ports/keys.ts";
import type { JobService } from "../../engine/ports/service.ts";
import type { SignedIn, SignIn } from "../../engine/ports/sign-in.ts";
import { newKey } from "../admin/new-key.ts";
import { keyTarget } from "../middleware/audited.ts";
import { type SignInRequest, signInRequestSchema } from "./key-request.ts";
import { keyPage } from "./pages.ts";

export interface IssueKeyParts {
  readonly sign_in: SignIn;
  readonly keys: KeyStore;
  readonly accounts: Pick<AccountStore, "of">;
  readonly service: Pick<JobService, "admit">;
  readonly githubClient: Pick<GitHubClient, "installation">;
  readonly public_url: string;
  readonly record: Recorder;
  readonly now: () => number;
}

/** Keys that one account may have by signing in; whoever needs more revokes old ones. */
export const MAX_KEYS_OF_ACCOUNT = 50;
const DAY_MS = 86_400_000;

export const BEGUN_ELSEWHERE = "This sign-in was begun elsewhere, or more than ten minutes ago.";
const CONFLICT = 409;
const TOO_MANY_SENTENCE = `This account has ${MAX_KEYS_OF_ACCOUNT} keys already; revoke one first (DELETE /api/keys/self with it).`;
const TOO_MANY: Refused = { status: CONFLICT, sentence: TOO_MANY_SENTENCE };

const NOT_SIGNED_IN: Readonly<
  Record<Extract<SignedIn, { signed_in: false }>["why"], readonly [status: number, sentence: string]>
> = {
  forged: [400, BEGUN_ELSEWHERE],
  denied: [403, "You did not let GitHub tell us who you are, so no key was made."],
  spent: [400, "GitHub does not accept this sign-in any more; each counts once, and for ten minutes."],
  misconfigured: [
    500,
    "GitHub does not accept this server as the App. Whoever runs it must compare GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET and the callback URL with the App's settings page.",
  ],
};

/** The same for a repository that one cannot see and one without the App: which of them it is, is nobody's business. */
const mayNot = (repository: string): string =>
  `You may not command in ${repository}, or Journeyman is not installed there; no key was made.`;

/** What travels in the cookie. */
export const begunSchema = z.object({ state: z.string(), verifier: z.string(), key_request: signInRequestSchema });

export interface Refused {
  readonly status: number;
  readonly sentence: string;
}

interface Known {
  readonly login: string;
  readonly account: string;
  /** Whether they may have the key. */
  readonly may: boolean;
}

/** Who it is, and whether they may command there. Throws when GitHub cannot be asked. */
export async function whoWishes(
  parts: IssueKeyParts,
  parameters: URLSearchParams,
  begun: z.infer<typeof begunSchema>,
): Promise<Refused | Known> {
  const who = await parts.sign_in.finish(parameters, begun);
  if (!who.signed_in) {
    const [status, sentence] = NOT_SIGNED_IN[who.why];
    return { status, sentence };
  }
  const [owner = "", name = ""] = begun.key_request.repository.split("/");
  const installation = await parts.githubClient.installation(owner, name);
  const account =
    installation === null
      ? null
      : await parts.service.admit({ owner, name, installation_id: installation.id }, who.person);
  const { login } = who.person;
  return { login, account: account ?? (await parts.accounts.of(who.person)), may: account !== null };
}

export async function issueKey(
  parts: IssueKeyParts,
  key_request: SignInRequest,
  { login, account, may }: Known,
  via: Via,
): Promise<Refused | { readonly page: string }> {
  const now = parts.now();
  const { repository, scopes } = key_request;
  const record = (outcome: string, id = ""): void =>
    parts.record({ account, login, via }, { action: "key-created", target: keyTarget(id), repository, outcome });
  if (!may) {
    record("forbidden");
    return { status: 403, sentence: mayNot(repository) };
  }
  const lives = ({ expires_at }: StoredKey): boolean => expires_at === null || expires_at > now;
  const living = (await parts.keys.list()).filter((key) => key.account === account && lives(key));
  if (living.length >= MAX_KEYS_OF_ACCOUNT) {
    record("too_many_keys");
    return TOO_MANY;
  }
  const expires_at = now + key_request.days * DAY_MS;
  const { key, stored } = newKey({ account, login, repository, scopes, expires_at }, now);
  await parts.keys.add(stored);
  record("done", stored.id);
  const shown = { key, id: stored.id, account, key_request, public_url: parts.public_url };
  return { page: keyPage({ ...shown, expires_at: new Date(expires_at).toISOString() }) };
}
