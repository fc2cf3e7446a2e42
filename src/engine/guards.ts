/** Names what a decision has seen beside its job: commits that name the same are decided one after the other. */
import { accountNamed } from "../domain/job/account.ts";
import { fullName, type Repository } from "../domain/job/job.ts";

/** Its quotas and its budget. */
export const accountGuard = (account: string): string => `account/${accountNamed(account)}`;

/** Its places and its budget. Jobs may have two names of one repository while it is being renamed. */
export const repositoryGuard = (repository: Pick<Repository, "owner" | "name" | "id">): string =>
  `repository/${repository.id ?? fullName(repository).toLowerCase()}`;
