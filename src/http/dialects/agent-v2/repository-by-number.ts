/** Finds a repository by GitHub's number, and asks GitHub for one that this server has not met yet. */
import type { ObservedRepository } from "../../../domain/repository/repository.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type { GitHubClient } from "../../../engine/ports/github.ts";
import type { RepositoryStore } from "../../../engine/ports/repositories.ts";
import type { JobService } from "../../../engine/ports/service.ts";

export interface NumberedRepositories {
  readonly repositories: Pick<RepositoryStore, "byId">;
  readonly githubClient: Pick<GitHubClient, "repositoryById" | "repository">;
  readonly service: Pick<JobService, "observe">;
  readonly clock: Pick<Clock, "now">;
}

/** How long a number that GitHub does not know is not asked for again. News of an installation come before its end. */
const UNKNOWN_MS = 10 * 60_000;
/** Unknown numbers that are asked for within that time: whoever tries numbers must not use up GitHub's limits. */
const MOST_UNKNOWN = 100;

export type RepositoryByNumber = (id: number) => Promise<ObservedRepository | null>;

/** Null: the App is installed on no repository of this number. Throws when GitHub has to be asked and cannot be. */
export function createRepositoryByNumber(parts: NumberedRepositories): RepositoryByNumber {
  const { repositories, githubClient, service, clock } = parts;
  const unknown = new Map<number, number>();

  const isUnknown = (id: number): boolean => {
    const now = clock.now();
    for (const [old, at] of unknown) if (now - at >= UNKNOWN_MS) unknown.delete(old);
    return unknown.has(id) || unknown.size >= MOST_UNKNOWN;
  };

  return async (id) => {
    const known = await repositories.byId(id);
    if (known !== null) return known;
    if (isUnknown(id)) return null;
    // counted before it is asked, so that many at once count too
    unknown.set(id, clock.now());
    const found = await read(githubClient, id).catch((error: unknown) => {
      unknown.delete(id);
      throw error;
    });
    if (found === null) return null;
    await service.observe(found);
    unknown.delete(id);
    return found;
  };
}

async function read(
  githubClient: NumberedRepositories["githubClient"],
  id: number,
): Promise<ObservedRepository | null> {
  const named = await githubClient.repositoryById(id);
  return named === null ? null : githubClient.repository(named, null);
}
