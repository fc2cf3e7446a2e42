/**
 * Uses one token in place of an App's credentials, since a workflow has no other identity. Determines whose token it
 * is: what GITHUB_TOKEN writes starts no workflow and carries a name that other automation shares (github-facts 1.1,
 * 12.7).
 */
import * as z from "zod";
import type { Secret } from "../contracts/secret.ts";
import type { Log } from "../engine/ports/log.ts";
import type { AppIdentity } from "../github/client/app-identity.ts";
import { ask } from "../github/client/graphql.ts";
import { createOctokits, type Octokit, type OctokitSource } from "../github/client/octokit.ts";

/** A workflow is in no installation. All jobs of the process carry this, and share one budget by it. */
export const NO_INSTALLATION = 0;

const ACTIONS = "github-actions";
const BOT = "[bot]";

export interface Identity {
  readonly self: AppIdentity;
  /** GITHUB_TOKEN: pushes start no workflow, and pull requests wait for a click. */
  readonly plain: boolean;
}

export interface TokenClient {
  readonly octokit: Octokit;
  readonly source: OctokitSource;
}

export function clientOf(token: Secret, api_url: string, log: Log): TokenClient {
  const octokits = createOctokits();
  const quiet = () => {};
  const octokit = new octokits.Octokit({
    // the installation is what the calls are paced by
    auth: { token: token.reveal(), installationId: NO_INSTALLATION },
    baseUrl: api_url,
    // at debug Octokit tells every request with its body
    log: { debug: quiet, info: quiet, warn: (text) => log.warn({}, text), error: (text) => log.warn({}, text) },
  });
  return { octokit, source: octokits.source({ auth: async () => octokit }) };
}

const viewer = z.object({ viewer: z.object({ login: z.string() }) });

/** Throws a sentence for a token that belongs to a person: checks can be written by Apps alone. */
export async function identify(octokit: Octokit): Promise<Identity> {
  const { login } = (await ask(octokit, "query Viewer { viewer { login } }", {}, viewer)).viewer;
  if (!login.endsWith(BOT))
    throw new Error(`The token belongs to the user ${login}. Give GITHUB_TOKEN or the token of a GitHub App.`);
  const slug = login.slice(0, -BOT.length);
  return { self: { slug, appId: null }, plain: slug === ACTIONS };
}
