/** Keys of tasks that are about more than one record: stores write them, the engine reads them. None has spaces in its parts. */
import type { Repository } from "../../domain/job/job.ts";
import type { Task } from "./work-queue.ts";

export type Named = Pick<Repository, "owner" | "name" | "id">;

/** Jobs may have two names of one repository while it is being renamed, and those of before do not know its number. */
export const repositoryKey = ({ owner, name, id }: Named): string => `${owner}/${name} ${id ?? ""}`.toLowerCase();

export function repositoryOf(key: string): Named {
  const [name = "", id = ""] = key.split(" ");
  return { ...named(name), ...(id === "" ? {} : { id: Number(id) }) };
}

/** Others may begin in the repository, and in all others for which the budget of this account counts; null: of none. */
export const lineTask = (repository: Named, account: string | null): Task => ({
  ...{ kind: "line", key: `${repositoryKey(repository)} ${account ?? ""}`, lane: `line ${repositoryKey(repository)}` },
});

export function accountOf(key: string): string | null {
  const [, , account = ""] = key.split(" ");
  return account === "" ? null : account;
}

/** By `owner/name`. */
export function named(full_name: string): Named {
  const [owner = "", name = ""] = full_name.split("/");
  return { owner, name };
}

interface Base {
  /** `owner/name`. */
  readonly repository: string;
  readonly branch: string | null;
}

export const baseKey = ({ repository, branch }: Base): string => `${repository} ${branch ?? ""}`;

export function baseOf(key: string): Base {
  const [repository = "", branch = ""] = key.split(" ");
  return { repository, branch: branch === "" ? null : branch };
}
