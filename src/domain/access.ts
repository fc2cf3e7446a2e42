/**
 * Who may do what: the access rules of the API, as pure functions of the principal and what it asks for. `canReach` says
 * whether something lies within the repository that a key is bound to, `canRead` whether the principal may see it,
 * `canCommand` whether it may change it. Workflow runs have rules of their own in `job/run-claims.ts`.
 */
import { accountNamed, accountOfRepository } from "./job/account.ts";
import { holdOf, type Job, type Named, namedRepository, sameRepository, statusAt, workerOf } from "./job/job.ts";

/** Scopes of an API key. */
export const SCOPES = ["read", "write", "work", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who sends a request: an API key and what it stands for. */
export interface Principal {
  /** Null: `API_KEY` of the settings. */
  readonly key_id: string | null;
  readonly account: string;
  /** Who signed in for the key; null: an admin made it. */
  readonly login: string | null;
  /** `owner/name` as it is called now; null: any. */
  readonly repository: string | null;
  /** GitHub's number of it; null: any, or not known yet. */
  readonly repository_id: number | null;
  readonly scopes: readonly Scope[];
}

type Bound = Pick<Principal, "repository" | "repository_id">;
type Of = Pick<Job, "account" | "repository">;

export const isAdmin = ({ scopes }: Pick<Principal, "scopes">): boolean => scopes.includes("admin");

/** `any`: whatever a valid key may do. */
export const hasScope = (principal: Pick<Principal, "scopes">, scope: Scope | "any"): boolean =>
  scope === "any" || principal.scopes.includes(scope) || isAdmin(principal);

/** What belongs to the whole server and not to one repository. */
export const canReachServer = ({ repository }: Pick<Bound, "repository">): boolean => repository === null;

export const canReach = ({ repository, repository_id }: Bound, of: Named): boolean =>
  repository === null || sameRepository(namedRepository(repository, repository_id), of);

/** For names that nobody has looked up yet; null: nothing is known by what was asked for. */
export const canReachName = ({ repository }: Pick<Bound, "repository">, full_name: string | null): boolean =>
  repository === null || repository.toLowerCase() === full_name?.toLowerCase();

/** A subscription belongs to an account, and to one repository or to all. */
export const canReachSubscription = (
  principal: Principal,
  of: { readonly account: string; readonly repository: string | null; readonly repository_id: number | null },
): boolean =>
  (principal.repository === null ||
    (of.repository !== null && canReach(principal, namedRepository(of.repository, of.repository_id)))) &&
  (principal.account === of.account || isAdmin(principal));

/** A new job commands in a repository, so the repository must be known for certain: a name alone may be another's by now. */
export const canCommandIn = (principal: Bound, repository: Named): boolean =>
  canReach(principal, repository) && (principal.repository_id === null || repository.id !== undefined);

/** Whoever is given a key to a repository may do there what the repository itself has begun. A name alone may be another's. */
const isOfRepository = ({ repository_id }: Bound, { account }: Of): boolean =>
  repository_id !== null && accountNamed(account) === accountOfRepository(repository_id);

/** The sender of a job, or an admin. Jobs that a repository has started belong to the keys to it. */
export const canCommand = (principal: Principal, job: Of): boolean =>
  canReach(principal, job.repository) &&
  (principal.account === accountNamed(job.account) || isAdmin(principal) || isOfRepository(principal, job));

/** Outside of the market nobody but those who may command a job sees it. */
export const canReadAsSender = canCommand;

const isMine = ({ account }: Principal, claim: { readonly account: string } | null): boolean =>
  claim !== null && accountNamed(claim.account) === account;

/** The sender, the account that holds the job now, and the one that works on it. */
export const canRead = (principal: Principal, job: Job, now: number): boolean =>
  canCommand(principal, job) ||
  (canReach(principal, job.repository) &&
    ((statusAt(job, now) === "held" && isMine(principal, holdOf(job))) || isMine(principal, workerOf(job))));

const accountsOf = ({ account, repository_id }: Principal): readonly string[] =>
  repository_id === null ? [account] : [account, accountOfRepository(repository_id)];

/** Which jobs a list may show; the store looks for them. */
export const readableJobs = (
  principal: Principal,
): { readonly accounts?: readonly string[]; readonly repository?: string } => ({
  ...(isAdmin(principal) ? {} : { accounts: accountsOf(principal) }),
  ...(principal.repository === null ? {} : { repository: principal.repository }),
});

/** The agent of the account that holds the job or works on it, of which there is one at most; null: there is none. */
export const claimingAgent = (principal: Principal, job: Pick<Job, "work">): string | null =>
  [holdOf(job), workerOf(job)].find((claim) => isMine(principal, claim))?.agent_id ?? null;

/** Addresses in the audit log are for those whose they are, and for admins. */
export const canReadAddress = (principal: Principal, entry: { readonly account: string | null }): boolean =>
  isAdmin(principal) || entry.account === principal.account;

/** The permission on GitHub that a repository asks of whoever commands in it. */
export type NeededPermission = "write" | "admin";

export const canCommandWith = (permission: string, needed: NeededPermission): boolean =>
  permission === "admin" || (permission === "write" && needed === "write");
