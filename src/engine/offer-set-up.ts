/** Has a pull request opened in repositories that are not set up: right after an installation, or at their first event. */
import type { EventRepository, GitHubEvent } from "../domain/job/github-event.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { GitHubClient } from "./ports/github.ts";
import type { Store } from "./ports/store.ts";

type RepositoriesChanged = Extract<GitHubEvent, { type: "repositories-changed" }>;

interface Needs {
  readonly store: Pick<Store, "repositories">;
  readonly githubClient: Pick<GitHubClient, "installedRepositories">;
  readonly handleRepository: HandleRepository;
  /** Whether such pull requests are opened at all. */
  readonly offers_set_up: boolean;
}

/** Repositories that get one right after an installation; the others get it at their first event. */
const AT_ONCE = 20;

/** Maybe nobody has looked at it yet. Where another one is known by this name, news that tell who has it come first. */
export async function seen(
  { store, handleRepository, offers_set_up }: Needs,
  repository: EventRepository,
): Promise<void> {
  if (!offers_set_up) return;
  const known = await store.repositories.get(repository.owner, repository.name);
  if (known === null || known.id === repository.id) await handleRepository(repository.id, { type: "seen", repository });
}

/** Payloads do not list all repositories of a large installation, so GitHub is asked. What was added comes first. */
export async function offerSetUp(needs: Needs, { installation_id, added }: RepositoriesChanged): Promise<void> {
  const { offers_set_up, githubClient } = needs;
  if (!offers_set_up) return;
  const installed = await githubClient.installedRepositories(installation_id);
  const isNew = new Set(added.map(({ id }) => id));
  const fit = installed.filter(({ archived, fork }) => !archived && !fork);
  const news = [...fit.filter(({ id }) => isNew.has(id)), ...fit.filter(({ id }) => !isNew.has(id))];
  const wanted = news.slice(0, AT_ONCE);
  for (const { archived: _archived, fork: _fork, ...repository } of wanted) await seen(needs, repository);
}
