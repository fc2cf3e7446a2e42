/**
 * Finds the repository that a request names, and whether the App is installed there, for every route that creates jobs.
 */

import { canCommandIn, canReachName, type Principal } from "../../domain/access.ts";
import type { Repository } from "../../domain/job/job.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import type { RepositoryStore } from "../../engine/ports/repositories.ts";
import type { JobService } from "../../engine/ports/service.ts";
import { failure, type HttpResult } from "../routing/answer.ts";

export interface RepositoryParts {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly githubClient: Pick<GitHubClient, "installation" | "repository">;
  readonly service: Pick<JobService, "observe">;
  /** `owner/name` for keys and bodies that name none. */
  readonly default_repository: string | null;
}

type Found<T> = { readonly value: T } | { readonly answer: HttpResult };

const NO_REPOSITORY = failure(
  400,
  "missing_repository",
  "repository: is missing; name it as owner/name, use a key that is bound to one, or set DEFAULT_REPOSITORY.",
);

/** The repository of the key, where it has one; else the one that is named. */
export function boundTo(principal: Principal, named: string | null): Found<string | null> {
  if (principal.repository === null) return { value: named };
  const sentence = `This key is bound to ${principal.repository}; leave repository out or use another key.`;
  return named === null || canReachName(principal, named)
    ? { value: principal.repository }
    : { answer: failure(403, "forbidden", sentence) };
}

/** The repository that the key, the body or the settings name, as an answer when they name none or disagree. */
function repositoryName(principal: Principal, named: string | null, fallback: string | null): Found<string> {
  const bound = boundTo(principal, named);
  if ("answer" in bound) return bound;
  const value = bound.value ?? fallback;
  return value === null ? { answer: NO_REPOSITORY } : { value };
}

/** From what we know already when we can: GitHub is asked for a repository that was never used alone, and once. */
export async function findRepository(
  parts: Pick<RepositoryParts, "repositories" | "githubClient" | "service">,
  fullName: string,
): Promise<Repository | null> {
  const [owner = "", name = ""] = fullName.split("/");
  const known = await parts.repositories.get(owner, name);
  if (known !== null) {
    const { id, installation_id } = known;
    return { owner: known.owner, name: known.name, id, installation_id };
  }
  const installation = await parts.githubClient.installation(owner, name);
  if (installation === null) return null;
  const there = { owner, name, installation_id: installation.id };
  const found = await parts.githubClient.repository(there, null);
  if (found === null) return there;
  await parts.service.observe(found);
  return { ...there, id: found.id };
}

const anotherNow = (name: string): string =>
  `${name} is another repository than the one that this key was made for; use another key.`;

/** Throws when GitHub has to be asked and cannot be. */
export async function whichRepository(
  parts: RepositoryParts,
  principal: Principal,
  named: string | null,
): Promise<Found<Repository>> {
  const name = repositoryName(principal, named, parts.default_repository);
  if ("answer" in name) return name;
  const value = await findRepository(parts, name.value);
  if (value !== null && !canCommandIn(principal, value))
    return { answer: failure(403, "forbidden", anotherNow(name.value)) };
  if (value !== null) return { value };
  const sentence = `Journeyman is not installed on ${name.value}; install the App there and try again.`;
  return { answer: failure(422, "not_installed", sentence) };
}
