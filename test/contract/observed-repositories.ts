/** Puts repositories into a store as the engine does. */
import type { ObservedRepository } from "../../src/domain/repository/repository.ts";
import { createRepositoryHandler } from "../../src/engine/handle-repository.ts";
import type { RepositoryStore } from "../../src/engine/ports/repositories.ts";

const handlerOf = (repositories: RepositoryStore) =>
  createRepositoryHandler({ repositories, clock: { now: () => 0 }, offers_set_up: false });

export async function observe(repositories: RepositoryStore, repository: ObservedRepository): Promise<void> {
  await handlerOf(repositories)(repository.id, { type: "observed", repository });
}

export async function forget(repositories: RepositoryStore, owner: string, name: string): Promise<void> {
  const known = await repositories.get(owner, name);
  if (known !== null) await handlerOf(repositories)(known.id, { type: "removed" });
}
