/** Installs the App: records and the events that GitHub always sends. */

import { EVENTS, PERMISSIONS } from "./app-permissions.ts";
import { fullName, type Installation, type Json, type PermissionMap, type Repository } from "./model.ts";
import { installationJson, userJson } from "./payloads.ts";
import type { World } from "./world.ts";

export type AppPermissions = PermissionMap;

const short = (repository: Repository): Json => ({
  id: repository.id,
  node_id: `R_${repository.id}`,
  name: repository.name,
  full_name: fullName(repository),
  private: repository.private,
});

/** One installation per owner, as on GitHub. */
export function installOn(
  world: World,
  repositories: readonly Repository[],
  options: { permissions?: AppPermissions; events?: readonly string[] },
): number {
  const owner = repositories[0]?.owner;
  if (!owner || repositories.some((repository) => repository.owner.id !== owner.id))
    throw new Error("an installation is for repositories of one owner");
  const known = [...world.state.installations.values()].find((one) => one.account.id === owner.id);
  const installation: Installation = known ?? {
    id: world.state.nextId(),
    account: owner,
    repositoryIds: new Set(),
    permissions: { metadata: "read", ...(options.permissions ?? PERMISSIONS) },
    events: options.events ?? EVENTS,
    createdAt: world.now(),
  };
  if (known && options.permissions) known.permissions = { metadata: "read", ...options.permissions };
  world.state.installations.set(installation.id, installation);
  const added = repositories.filter((repository) => !installation.repositoryIds.has(repository.id));
  for (const repository of added) {
    installation.repositoryIds.add(repository.id);
    world.feed.tell("installation", repository, `${world.appSlug} was installed`);
  }
  const common = { installation: installationJson(world, installation), sender: userJson(world, owner) };
  const listed = added.map(short);
  if (!known)
    world.webhooks.emit(
      "installation",
      { action: "created", ...common, repositories: listed, requester: null },
      installation.id,
      undefined,
    );
  else
    world.webhooks.emit(
      "installation_repositories",
      {
        action: "added",
        ...common,
        repository_selection: "selected",
        repositories_added: listed,
        repositories_removed: [],
        requester: null,
      },
      installation.id,
      undefined,
    );
  return installation.id;
}

export function uninstall(world: World, id: number): void {
  const installation = world.state.installations.get(id);
  if (!installation) throw new Error(`there is no installation ${id}`);
  world.state.installations.delete(id);
  world.tokens.revokeInstallation(id);
  const repositories = [...installation.repositoryIds].flatMap((one) => world.state.repositories.get(one) ?? []);
  world.webhooks.emit(
    "installation",
    {
      action: "deleted",
      installation: installationJson(world, installation),
      repositories: repositories.map(short),
      sender: userJson(world, installation.account),
    },
    id,
    undefined,
  );
}
