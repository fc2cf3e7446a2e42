/**
 * Checks on GitHub who may use /job commands in a repository, and finds their account: for comments, labels, buttons
 * and sign-in. Identifies people by number, since logins change hands. Fails closed: throws when GitHub does not
 * answer.
 */
import { canCommandWith, type NeededPermission } from "../domain/access.ts";
import { fullName, type Repository } from "../domain/job/job.ts";
import type { GitHubPerson } from "./ports/accounts.ts";
import type { Recorder } from "./ports/audit.ts";
import type { GitHubClient, Permission, Permitted } from "./ports/github.ts";
import type { ObserveRepository } from "./ports/repositories.ts";
import type { Store } from "./ports/store.ts";

/** The person; records of older versions lack the number. */
export type PermissionRequest = Pick<GitHubPerson, "login"> & Partial<Pick<GitHubPerson, "id">>;

/** The account for this person's commands; null when they have no permission. */
export type Admit = (
  repository: Repository,
  asking: PermissionRequest,
  /** More than the repository requires; missing: what it does. */
  more?: "admin",
) => Promise<string | null>;

export function createPermission(
  store: Pick<Store, "repositories" | "accounts">,
  githubClient: Pick<GitHubClient, "permission" | "repository" | "loginOf">,
  observe: ObserveRepository,
  record: Recorder,
): Admit {
  /** The permission that the repository requires; fetched when unknown or possibly changed by a push. */
  const needed = async (repository: Repository): Promise<NeededPermission> => {
    const kept = await store.repositories.get(repository.owner, repository.name);
    const read = kept?.base ? null : await githubClient.repository(repository, kept);
    if (read !== null) await observe(read);
    return (read ?? kept)?.settings?.commands.allow ?? "write";
  };

  /** The requirement matters only for people with write access, so it is not fetched for others. */
  const suffices = async (repository: Repository, permission: Permission): Promise<boolean> =>
    canCommandWith(permission, "admin") ||
    (canCommandWith(permission, "write") && canCommandWith(permission, await needed(repository)));

  /**
   * Data stored under a login, before the person's number was known, now belongs to that person; the audit log records
   * this.
   */
  const accountOf = async (person: GitHubPerson, repository: Repository): Promise<string> => {
    const { account, first } = await store.accounts.tie(person);
    const target = { type: "account", id: account } as const;
    const what = { action: "account-tied", target, repository: fullName(repository), outcome: "done" };
    if (first) record({ account, login: person.login }, what);
    return account;
  };

  /** Looks up the known login, or the current one if the login belongs to somebody else now. */
  const permitted = async (repository: Repository, { id, login }: PermissionRequest): Promise<Permitted> => {
    const known = await githubClient.permission(repository, login);
    if (id === undefined || known.person?.id === id) return known;
    const now = await githubClient.loginOf(repository, id);
    const renamed = now === null ? null : await githubClient.permission(repository, now);
    return renamed?.person?.id === id ? renamed : { permission: "none", person: null };
  };

  return async (repository, asking, more) => {
    const { permission, person } = await permitted(repository, asking);
    if (person === null || (more === "admin" && !canCommandWith(permission, "admin"))) return null;
    return (await suffices(repository, permission)) ? accountOf(person, repository) : null;
  };
}
