/**
 * Keeps repositories within the limits of their settings: decisions that take a place are made one at a time for each
 * repository, and a commit that gives one back lets the next of the line begin. What a crash leaves is made up for at the
 * start and every hour.
 */
import { UNREAD_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import { accountNamed } from "../domain/job/account.ts";
import type { Command } from "../domain/job/command.ts";
import { fullName, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import { givesPlace, leavesLine, shownTooFarBack, waitingIn, walkLine } from "../domain/job/line.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import { createLineFacts, type ReadLineFacts } from "./line-facts.ts";
import { type AccountBudgets, NO_ACCOUNT_BUDGETS } from "./ports/account-budgets.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore, StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { Handled } from "./ports/service.ts";
import type { SpendingStore } from "./ports/spending.ts";
import { createTurns } from "./turns.ts";

type Named = Pick<Repository, "owner" | "name" | "id">;

interface Needs {
  readonly store: {
    readonly jobs: Pick<JobStore, "placesIn" | "lines" | "openIn" | "heldBy">;
    readonly repositories: Pick<RepositoryStore, "get" | "byId">;
    readonly spending: Pick<SpendingStore, "spentIn">;
  };
  readonly clock: Pick<Clock, "now">;
  /** Missing: none has any. */
  readonly account_budgets?: AccountBudgets | undefined;
  readonly handle: (id: JobId, command: Command) => Promise<Handled>;
  /** False: this process does not know all jobs of a repository, so none has to wait. */
  readonly knows_all_jobs: boolean;
  readonly log: Pick<Log, "error">;
}

export interface Line {
  /**
   * Runs what takes a place or part of a budget; one at a time for each repository, and for each account that has a budget.
   * `account`: of the job.
   */
  inTurn<T>(repository: Named, account: string, work: () => Promise<T>): Promise<T>;
  readonly facts: ReadLineFacts;
  committed(stored: StoredJob, before: Job | null): void;
  repositoryCommitted(state: RepositoryState, before: RepositoryState | null): void;
  /** Lets those of the account begin for whom there is room now. */
  accountChanged(account: string): void;
  /** Lets everybody begin for whom there is room. */
  moveAll(): Promise<void>;
  /** Resolves when nobody is being told to begin any more. */
  stop(): Promise<void>;
}

const keyOf = (repository: Named): string => fullName(repository).toLowerCase();

/** Jobs may have two names of one repository while it is being renamed. */
const turnOf = (repository: Named): string => (repository.id === undefined ? keyOf(repository) : `#${repository.id}`);

function named(full_name: string): Named {
  const [owner = "", name = ""] = full_name.split("/");
  return { owner, name };
}

/** Jobs at rest whose settings are those of their last look: with a pull request, or a question that gives no place. */
async function mayExpire({ jobs }: Needs["store"], repository: string): Promise<ReadonlySet<JobId>> {
  const settled = (await jobs.placesIn(repository)).filter((one) => !one.runs && one.waits_since === null);
  const asking = (await jobs.openIn(repository)).filter(({ status }) => status === "waiting_for_user");
  return new Set([...settled, ...asking].map(({ id }) => id));
}

/** Tells those whose number in line has changed enough. */
async function showPlaces({ store, handle }: Needs, repository: Named): Promise<void> {
  const places = await store.jobs.placesIn(fullName(repository));
  for (const id of shownTooFarBack(places)) await handle(id, { type: "line-moved" });
}

async function tellLimits({ store, handle }: Needs, state: RepositoryState): Promise<void> {
  const { limits } = state.settings ?? UNREAD_REPOSITORY_SETTINGS;
  for (const id of await mayExpire(store, fullName(state))) await handle(id, { type: "limits-changed", limits });
}

/** Names of repositories in which a job of the account waits, whose budget is of all repositories. */
async function linesOf({ jobs }: Needs["store"], account: string): Promise<readonly Named[]> {
  const found: Named[] = [];
  for (const name of await jobs.lines()) {
    const waiting = waitingIn(await jobs.placesIn(name));
    if (waiting.some((place) => place.account === accountNamed(account))) found.push(named(name));
  }
  return found;
}

/** Without limits everybody may begin; while those are unknown one job does, which reads them. */
async function firstToBegin(
  jobs: Pick<JobStore, "placesIn">,
  facts: ReadLineFacts,
  repository: Named,
): Promise<{ readonly id: JobId; readonly alone: boolean } | null> {
  const places = await jobs.placesIn(fullName(repository));
  if (waitingIn(places).length === 0) return null;
  const known = await facts(repository, null);
  const first = walkLine({ ...known, places }).find(({ reached }) => reached === null);
  return first === undefined ? null : { id: first.id, alone: known.unread === true };
}

export function createLine(needs: Needs): Line {
  const { handle, account_budgets = NO_ACCOUNT_BUDGETS, log } = needs;
  const { jobs } = needs.store;
  const inTurn = createTurns();
  const inTurnOfAccount = createTurns();
  const moving = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  const may_be_set = account_budgets !== NO_ACCOUNT_BUDGETS;
  let stopped = false;
  const facts = createLineFacts({ ...needs, ...needs.store, account_budgets });

  const next = (repository: Named) => firstToBegin(jobs, facts, repository);

  const moveOnce = async (repository: Named): Promise<void> => {
    let told: JobId | null = null;
    for (let first = await next(repository); first !== null && !stopped; first = await next(repository)) {
      const answer = await handle(first.id, { type: "begin" });
      const begins = answer.ok && answer.changed && answer.job.line === null;
      // one that was cancelled meanwhile leaves the place to the one behind it
      if (first.alone || (!begins && told === first.id)) return;
      told = begins ? null : first.id;
    }
  };

  const run = async (repository: Named, key: string): Promise<void> => {
    try {
      for (let again = true; again && !stopped; again = moving.get(key)?.again === true) {
        const state = moving.get(key);
        if (state !== undefined) state.again = false;
        await moveOnce(repository);
        await showPlaces(needs, repository);
      }
    } catch (error) {
      log.error({ repository: fullName(repository), error }, "the line of waiting jobs could not be moved");
    } finally {
      moving.delete(key);
    }
  };

  const move = (repository: Named): Promise<void> => {
    const key = keyOf(repository);
    const under_way = moving.get(key);
    if (under_way !== undefined) {
      under_way.again = true;
      return under_way.done;
    }
    // begins after the commit that is being told of
    const done = Promise.resolve().then(() => run(repository, key));
    moving.set(key, { again: false, done });
    return done;
  };

  const moveAllOf = async (account: string): Promise<void> => {
    try {
      for (const repository of await linesOf(needs.store, account)) if (!stopped) await move(repository);
    } catch (error) {
      log.error({ account, error }, "the jobs of an account that wait in line could not be moved");
    }
  };

  const changed = async (state: RepositoryState): Promise<void> => {
    await move(state);
    await tellLimits(needs, state).catch((error: unknown) =>
      log.error({ repository: fullName(state), error }, "changed limits could not be told to open pull requests"),
    );
  };

  return {
    // the repository's turn first, always: so nobody waits for somebody who waits for them
    inTurn: (repository, account, work) =>
      // and the account's even before anybody has a budget: a first one may be set meanwhile
      inTurn(turnOf(repository), () => (may_be_set ? inTurnOfAccount(accountNamed(account), work) : work())),
    facts,
    committed({ job }, before) {
      if (before === null || !(givesPlace(before, job) || leavesLine(before, job))) return;
      void move(job.repository);
      if (account_budgets.any()) void moveAllOf(job.account);
    },
    repositoryCommitted(state, before) {
      const of = (one: RepositoryState | null) => JSON.stringify([one?.settings?.limits, one?.settings?.budget]);
      if (of(state) !== of(before)) void changed(state);
    },
    accountChanged: (account) => void moveAllOf(account),
    async moveAll() {
      for (const name of await jobs.lines()) if (!stopped) await move(named(name));
    },
    async stop() {
      stopped = true;
      await Promise.all([...moving.values()].map(({ done }) => done));
    },
  };
}
