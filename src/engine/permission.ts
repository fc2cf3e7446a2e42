/**
 * Asks GitHub who may command in a repository, and finds the account: for comments, labels, buttons and for people who
 * sign in to get a key. Goes by GitHub's numbers of people, since a name may be somebody else's by now. Fails closed:
 * throws when GitHub cannot be asked.
 */
import { canCommandWith, type NeededPermission } from "../domain/access.ts";
import { fullName, type Repository } from "../domain/job/job.ts";
import type { GitHubPerson } from "./ports/accounts.ts";
import type { Recorder } from "./ports/audit.ts";
import type { GitHubClient, Permission, Permitted } from "./ports/github.ts";
import type { Store } from "./ports/store.ts";

/** Somebody who asks; without a number where a record of an earlier version tells of them. */
export type PermissionRequest = Pick<GitHubPerson, "login"> & Partial<Pick<GitHubPerson, "id">>;

/** The account in whose name this person commands here; null: they may not. */
export type Admit = (repository: Repository, asking: PermissionRequest) => Promise<string | null>;

export function createPermission(
  store: Pick<Store, "repositories" | "accounts">,
  githubClient: Pick<GitHubClient, "permission" | "repository" | "loginOf">,
  record: Recorder,
): Admit {
  /** Which permission the repository asks for: read when it is not known or a push may have changed it. */
  const needed = async (repository: Repository): Promise<NeededPermission> => {
    const kept = await store.repositories.get(repository.owner, repository.name);
    const read = kept?.base ? null : await githubClient.repository(repository, kept);
    if (read !== null) await store.repositories.put(read);
    return (read ?? kept)?.settings?.commands.allow ?? "write";
  };

  /** What the repository asks for matters to those with write access alone, so it is not read for others. */
  const suffices = async (repository: Repository, permission: Permission): Promise<boolean> =>
    canCommandWith(permission, "admin") ||
    (canCommandWith(permission, "write") && canCommandWith(permission, await needed(repository)));

  /** What was kept under a name before its person's number was known is theirs from now on, and the audit log says so. */
  const accountOf = async (person: GitHubPerson, repository: Repository): Promise<string> => {
    const { account, first } = await store.accounts.tie(person);
    const target = { type: "account", id: account } as const;
    const what = { action: "account-tied", target, repository: fullName(repository), outcome: "done" };
    if (first) record({ account, login: person.login }, what);
    return account;
  };

  /** By the name that is known, and where that is not this person's any more, by the one that they have now. */
  const permitted = async (repository: Repository, { id, login }: PermissionRequest): Promise<Permitted> => {
    const known = await githubClient.permission(repository, login);
    if (id === undefined || known.person?.id === id) return known;
    const now = await githubClient.loginOf(repository, id);
    const renamed = now === null ? null : await githubClient.permission(repository, now);
    return renamed?.person?.id === id ? renamed : { permission: "none", person: null };
  };

  return async (repository, asking) => {
    const { permission, person } = await permitted(repository, asking);
    if (person === null) return null;
    return (await suffices(repository, permission)) ? accountOf(person, repository) : null;
  };
}
