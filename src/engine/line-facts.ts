/** What a decision about a place needs to know: the repository's limits, who has which place, and what is left of budgets. */
import type { Budget } from "../contracts/budget.ts";
import {
  DEFAULT_REPOSITORY_SETTINGS,
  type RepositorySettings,
  UNREAD_REPOSITORY_SETTINGS,
} from "../contracts/settings.ts";
import { accountNamed } from "../domain/job/account.ts";
import { budgetOf, hasBudget } from "../domain/job/budget.ts";
import { fullName, type Repository } from "../domain/job/job.ts";
import {
  isLimited,
  type LineBudgets,
  type LineFacts,
  type Place,
  placeLimitsOf,
  UNREAD_LINE,
} from "../domain/job/line.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { AccountBudgets } from "./ports/account-budgets.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { SpendingStore } from "./ports/spending.ts";

interface Needs {
  readonly jobs: Pick<JobStore, "placesIn" | "heldBy">;
  readonly repositories: Pick<RepositoryStore, "get" | "byId">;
  readonly spending: Pick<SpendingStore, "spentIn">;
  readonly clock: Pick<Clock, "now">;
  readonly account_budgets: AccountBudgets;
  /** False: this process does not know all jobs of a repository, so none has to wait. */
  readonly knows_all_jobs: boolean;
}

/** `account`: of the job that is decided on; null: of none. */
export type ReadLineFacts = (
  repository: Pick<Repository, "owner" | "name" | "id">,
  account: string | null,
) => Promise<LineFacts>;

const NO_LIMITS: LineFacts = { limits: {}, places: [] };

/** Null: nobody has read them. Where there is no file, or it cannot be read, nothing is limited. */
function settingsOf(known: RepositoryState | null): RepositorySettings | null {
  if (known === null) return null;
  if (known.settings !== null) return known.settings;
  return known.base === null && known.settings_problem === null ? null : UNREAD_REPOSITORY_SETTINGS;
}

/** Whose budgets a decision looks at: the job's own, and those of the accounts that wait before it. */
const accountsOf = (places: readonly Place[], account: string | null): ReadonlySet<string> =>
  new Set([
    ...(account === null ? [] : [accountNamed(account)]),
    ...places.flatMap((place) => (place.waits_since === null ? [] : [place.account])),
  ]);

type AccountFacts = LineBudgets["accounts"] extends ReadonlyMap<string, infer Facts> ? Facts : never;

async function readAccounts(
  { account_budgets, spending, jobs }: Needs,
  accounts: ReadonlySet<string>,
  now: number,
): Promise<ReadonlyMap<string, AccountFacts>> {
  const found = new Map<string, AccountFacts>();
  if (!account_budgets.any()) return found;
  for (const account of accounts) {
    const limits: Budget | null = await account_budgets.of(account);
    if (limits === null) continue;
    // what ends meanwhile is held first and spent then: read in this order, it may count twice but is never missed
    const held = await jobs.heldBy(account);
    found.set(account, { limits, spent: await spending.spentIn({ account }, now), held });
  }
  return found;
}

async function readBudgets(
  needs: Needs,
  known: RepositoryState | null,
  settings: RepositorySettings | null,
  accounts: ReadonlySet<string>,
): Promise<LineBudgets | null> {
  const now = needs.clock.now();
  const limits = budgetOf(settings);
  const repository =
    hasBudget(limits) && known !== null
      ? { limits, spent: await needs.spending.spentIn({ repository_id: known.id }, now) }
      : null;
  const ofAccounts = await readAccounts(needs, accounts, now);
  if (repository === null && ofAccounts.size === 0) return null;
  const { cost_cents: cap_cents } = (settings ?? DEFAULT_REPOSITORY_SETTINGS).limits;
  return { now, cap_cents, repository, accounts: ofAccounts };
}

export const createLineFacts =
  (needs: Needs): ReadLineFacts =>
  async (repository, account) => {
    if (!needs.knows_all_jobs) return NO_LIMITS;
    const { owner, name, id } = repository;
    const known = await (id === undefined ? needs.repositories.get(owner, name) : needs.repositories.byId(id));
    const settings = settingsOf(known);
    const limited = settings !== null && isLimited(settings);
    if (!limited && !needs.account_budgets.any()) return settings === null ? UNREAD_LINE : NO_LIMITS;
    const places = await needs.jobs.placesIn(fullName(repository), known?.id);
    const line = settings === null ? { ...UNREAD_LINE, places } : { limits: placeLimitsOf(settings), places };
    const budgets = await readBudgets(needs, known, settings, accountsOf(places, account));
    return budgets === null ? line : { ...line, budgets };
  };
