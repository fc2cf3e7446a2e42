/**
 * Whether a repository has opened itself to the market: a stranger's work comes to it only when its default branch says
 * so. From what we know already when we can; GitHub is asked for a repository that has not been read.
 */

import { marketOf } from "../contracts/settings.ts";
import { fullName, type Repository } from "../domain/job/job.ts";
import { type Refusal, refusal } from "../domain/job/refusal.ts";
import { marketOff } from "../domain/job/rules/market.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

/** Null: it has. Throws when GitHub has to be asked and cannot be. */
export type MarketGate = (repository: Repository) => Promise<Refusal | null>;

export function createMarketGate(
  repositories: Pick<RepositoryStore, "get">,
  githubClient: Pick<GitHubClient, "repository">,
): MarketGate {
  return async (repository) => {
    const kept = await repositories.get(repository.owner, repository.name);
    // under a name that another repository has now, nothing is known
    const same = repository.id === undefined || kept?.id === repository.id;
    const known = kept?.base && same ? kept : await githubClient.repository(repository, kept);
    if (known !== null && marketOf(known.settings).enabled) return null;
    return refusal("repository_not_ready", marketOff(fullName(repository)));
  };
}
