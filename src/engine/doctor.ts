/** Examines a repository: reads what GitHub shows of it now, and says what keeps its jobs from running or merging. */

import type { Repository } from "../domain/job/job.ts";
import { type Finding, findingsOf } from "../domain/repository/findings.ts";
import { newRepository } from "../domain/repository/repository.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

/** Null: the repository is not visible to the App. Throws when GitHub does not answer. */
export type Examine = (repository: Repository) => Promise<readonly Finding[] | null>;

export function createDoctor(
  repositories: Pick<RepositoryStore, "get">,
  githubClient: Pick<GitHubClient, "examine" | "failedCacheFill" | "repository">,
  now: () => number,
): Examine {
  return async (repository) => {
    const { facts, missing, new_file_url } = await githubClient.examine(repository);
    if (facts === null) return null;
    const kept = await repositories.get(repository.owner, repository.name);
    const isSame = repository.id === undefined || kept?.id === repository.id;
    const state = kept !== null && isSame ? kept : newRepository({ ...repository, id: repository.id ?? 0 });
    // the settings of now, whatever was heard of pushes
    const read = await githubClient.repository(repository, kept);
    const settings =
      read === null
        ? {}
        : {
            ...{ settings: read.settings, settings_problem: read.settings_problem },
            automation: read.automation ?? state.automation,
          };
    const seen = { ...state, ...settings };
    const has_cache = seen.settings?.cache !== undefined && facts.default_branch !== null;
    const cache_failed = has_cache ? await githubClient.failedCacheFill(repository, facts.default_branch) : null;
    const examined = { state: seen, facts, missing, cache_failed, now: now() };
    return findingsOf({ ...examined, ...(new_file_url ? { new_file_url } : {}) });
  };
}
