/**
 * Checks whether a repository has opted in to the market: strangers may work on it only if its default branch says so.
 * Uses cached settings and asks GitHub only for unknown repositories.
 */

import { marketOf } from "../contracts/settings.ts";
import { fullName, type Repository } from "../domain/job/job.ts";
import { type Refusal, refusal } from "../domain/job/refusal.ts";
import { marketOff } from "../domain/job/rules/market.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

/** Null when it has opted in. Throws when GitHub has to be asked and does not answer. */
export type MarketGate = (repository: Repository) => Promise<Refusal | null>;

export function createMarketGate(
  repositories: Pick<RepositoryStore, "get">,
  githubClient: Pick<GitHubClient, "repository">,
): MarketGate {
  return async (repository) => {
    const kept = await repositories.get(repository.owner, repository.name);
    // Another repository may have this name now, about which nothing is known.
    const same = repository.id === undefined || kept?.id === repository.id;
    const known = kept?.base && same ? kept : await githubClient.repository(repository, kept);
    if (known !== null && marketOf(known.settings).enabled) return null;
    return refusal("repository_not_ready", marketOff(fullName(repository)));
  };
}
