/**
 * Who may command in a repository: the one rule, for comments, labels, buttons and for whoever signs in to get a key.
 * Fails closed: throws when GitHub cannot be asked.
 */
import type { Repository } from "../job/job.ts";
import type { Desk, Store } from "./ports.ts";

export type MayCommand = (repository: Repository, login: string) => Promise<boolean>;

export function createPermission(store: Pick<Store, "repositories">, desk: Desk): MayCommand {
  /** Which permission the repository asks for: read when it is not known or a push may have changed it. */
  const needed = async (repository: Repository): Promise<"write" | "admin"> => {
    const kept = await store.repositories.get(repository.owner, repository.name);
    const read = kept?.base ? null : await desk.repository(repository, kept);
    if (read !== null) await store.repositories.put(read);
    return (read ?? kept)?.settings?.commands.allow ?? "write";
  };

  return async (repository, login) => {
    const permission = await desk.permission(repository, login);
    return permission === "admin" || (permission === "write" && (await needed(repository)) === "write");
  };
}
