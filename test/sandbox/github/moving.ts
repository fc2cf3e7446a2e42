/** Repositories that get another name or owner: records, and the events that GitHub sends. Old names lead there too. */
import { emit } from "./events.ts";
import type { Cause, Installation, Json, Repository, User } from "./model.ts";
import { installationJson, userJson } from "./payloads.ts";
import type { World } from "./world.ts";

export function rename(world: World, repository: Repository, name: string, cause: Cause): void {
  const from = repository.name;
  repository.name = name;
  world.state.addRepository(repository);
  emit(world, repository, "repository", cause, { action: "renamed", changes: { repository: { name: { from } } } });
}

const short = ({ id, name, owner, private: isPrivate }: Repository): Json => ({
  ...{ id, node_id: `R_${id}`, name, full_name: `${owner.login}/${name}`, private: isPrivate },
});

function selectionChanged(
  world: World,
  to: Installation,
  change: { added?: Json; removed?: Json },
  cause: Cause,
): void {
  const [added, removed] = [change.added ?? null, change.removed ?? null];
  world.webhooks.emit(
    "installation_repositories",
    {
      action: added === null ? "removed" : "added",
      installation: installationJson(world, to),
      repository_selection: "selected",
      repositories_added: added === null ? [] : [added],
      repositories_removed: removed === null ? [] : [removed],
      requester: null,
      sender: userJson(world, cause.user),
    },
    to.id,
    undefined,
  );
}

/** Where the App is installed for the new owner too, it keeps the repository: it leaves one installation for the other. */
export function transfer(world: World, repository: Repository, owner: User, cause: Cause): void {
  const [former, before] = [repository.owner, short(repository)];
  const left = world.state.installationOf(repository);
  const entered = [...world.state.installations.values()].find(({ account }) => account.id === owner.id);
  repository.owner = owner;
  world.state.addRepository(repository);
  left?.repositoryIds.delete(repository.id);
  entered?.repositoryIds.add(repository.id);
  if (left) selectionChanged(world, left, { removed: before }, cause);
  if (entered) selectionChanged(world, entered, { added: short(repository) }, cause);
  const from = { [former.type === "User" ? "user" : "organization"]: userJson(world, former) };
  emit(world, repository, "repository", cause, { action: "transferred", changes: { owner: { from } } });
}
