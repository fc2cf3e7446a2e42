/**
 * Finds a repository by GitHub's number, and asks GitHub for one that this server has not met yet. Whoever tries numbers
 * must not use up GitHub's limits: what is not found counts for the account and for the server, and so does what fails.
 */
import type { Principal } from "../../../domain/access.ts";
import type { ObservedRepository } from "../../../domain/repository/repository.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type { GitHubClient } from "../../../engine/ports/github.ts";
import type { RepositoryStore } from "../../../engine/ports/repositories.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import { UNKNOWN_NUMBERS, UNKNOWN_NUMBERS_MS, UNKNOWN_NUMBERS_OF_ACCOUNT } from "../../routing/limits.ts";
import { findRepository } from "../which-repository.ts";

export interface NumberedRepositories {
  readonly repositories: Pick<RepositoryStore, "byId" | "get">;
  readonly githubClient: Pick<GitHubClient, "repositoryById" | "repository" | "installation">;
  readonly service: Pick<JobService, "observe">;
  readonly clock: Pick<Clock, "now">;
}

type Caller = Pick<Principal, "account" | "repository" | "repository_id">;

/** `limited`: GitHub is not asked for so many milliseconds. */
export type FoundByNumber =
  | { readonly kind: "found"; readonly repository: ObservedRepository }
  | { readonly kind: "unknown" }
  | { readonly kind: "limited"; readonly wait_ms: number };

export type RepositoryByNumber = (id: number, caller: Caller) => Promise<FoundByNumber>;

interface LookUp {
  readonly what: string;
  readonly account: string;
  readonly at: number;
  /** GitHub has said that the App is not there. */
  is_unknown: boolean;
}

const UNKNOWN: FoundByNumber = { kind: "unknown" };
const found = (repository: ObservedRepository): FoundByNumber => ({ kind: "found", repository });

/** `unknown`: the App is installed on no repository of this number. Throws when GitHub has to be asked and cannot be. */
export function createRepositoryByNumber(parts: NumberedRepositories): RepositoryByNumber {
  const { repositories, clock } = parts;
  const underWay = new Map<string, Promise<boolean>>();
  let lookUps: LookUp[] = [];

  /** Milliseconds until this account may have GitHub asked again; 0: it may now. */
  const waitOf = (account: string): number => {
    const own = lookUps.filter((one) => one.account === account);
    const [oldest] = own.length >= UNKNOWN_NUMBERS_OF_ACCOUNT ? own : lookUps;
    const isFull = own.length >= UNKNOWN_NUMBERS_OF_ACCOUNT || lookUps.length >= UNKNOWN_NUMBERS;
    return isFull && oldest !== undefined ? oldest.at + UNKNOWN_NUMBERS_MS - clock.now() : 0;
  };

  /** Counted before it is asked, so that many at once count too; what is found counts no more, since it is known then. */
  const lookUp = async (what: string, account: string, learn: () => Promise<boolean>): Promise<boolean> => {
    const one: LookUp = { what, account, at: clock.now(), is_unknown: false };
    lookUps.push(one);
    one.is_unknown = !(await learn());
    if (!one.is_unknown) lookUps = lookUps.filter((other) => other !== one);
    return !one.is_unknown;
  };

  return async (id, { account, repository: own, repository_id }) => {
    const known = await repositories.byId(id);
    if (known !== null) return found(known);
    // GitHub is asked for any number for those alone who may use any repository: others learn nothing of numbers
    if (repository_id !== null) return UNKNOWN;
    const what = own ?? String(id);
    const now = clock.now();
    lookUps = lookUps.filter(({ at }) => now - at < UNKNOWN_NUMBERS_MS);
    if (lookUps.some((one) => one.what === what && one.is_unknown)) return UNKNOWN;
    let asking = underWay.get(what);
    if (asking === undefined) {
      const wait_ms = waitOf(account);
      if (wait_ms > 0) return { kind: "limited", wait_ms };
      const learn = () => (own === null ? learnNumber(parts, id) : learnName(parts, own));
      asking = lookUp(what, account, learn).finally(() => underWay.delete(what));
      underWay.set(what, asking);
    }
    const learnt = (await asking) ? await repositories.byId(id) : null;
    return learnt === null ? UNKNOWN : found(learnt);
  };
}

async function learnNumber({ githubClient, service }: NumberedRepositories, id: number): Promise<boolean> {
  const named = await githubClient.repositoryById(id);
  const seen = named === null ? null : await githubClient.repository(named, null);
  if (seen !== null) await service.observe(seen);
  return seen !== null;
}

/** The repository of a key that was made before anybody met it. */
const learnName = async (parts: NumberedRepositories, name: string): Promise<boolean> =>
  (await findRepository(parts, name))?.id !== undefined;
