/**
 * Keeps repositories within the limits of their settings: decisions that take a place guard what they have seen, and a
 * commit that gives one back lets the next of the line begin. What was missed is made up for every hour.
 */
import { UNREAD_REPOSITORY_SETTINGS } from "../contracts/settings.ts";
import { accountNamed } from "../domain/job/account.ts";
import type { Command } from "../domain/job/command.ts";
import { fullName, type JobId } from "../domain/job/job.ts";
import { shownTooFarBack, waitingIn, walkLine } from "../domain/job/line.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import { accountGuard, repositoryGuard } from "./guards.ts";
import { createLineFacts, type ReadLineFacts } from "./line-facts.ts";
import { type AccountBudgets, NO_ACCOUNT_BUDGETS } from "./ports/account-budgets.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import type { Handled } from "./ports/service.ts";
import type { SpendingStore } from "./ports/spending.ts";
import { accountOf, lineTask, type Named, named, repositoryOf } from "./ports/task-keys.ts";
import type { Task, TaskHandlers, WorkQueue } from "./ports/work-queue.ts";
import { createTurns } from "./turns.ts";

const SLOTS = 20;

interface Needs {
  readonly store: {
    readonly jobs: Pick<JobStore, "placesIn" | "lines" | "openIn" | "heldBy">;
    readonly repositories: Pick<RepositoryStore, "get" | "byId">;
    readonly spending: Pick<SpendingStore, "spentIn">;
    readonly queue: Pick<WorkQueue, "schedule">;
  };
  readonly clock: Pick<Clock, "now">;
  /** Missing: none has any. */
  readonly account_budgets?: AccountBudgets | undefined;
  readonly handle: (id: JobId, command: Command) => Promise<Handled>;
  /** False: this process does not know all jobs of a repository, so none has to wait. */
  readonly knows_all_jobs: boolean;
}

export interface Line {
  /**
   * Runs what takes a place or part of a budget. A courtesy: in this process one at a time for each repository, and for each
   * account that may have a budget, and so without conflicts. `account`: of the job.
   */
  inTurn<T>(repository: Named, account: string, work: () => Promise<T>): Promise<T>;
  /** What a decision that takes one has to guard; read before the facts. */
  guards(repository: Named, account: string): readonly string[];
  readonly facts: ReadLineFacts;
  readonly handlers: Pick<TaskHandlers, "line" | "limits">;
  /** Has those of the account begin for whom there is room now. */
  accountChanged(account: string): Promise<void>;
  /** Has everybody begin for whom there is room. */
  moveAll(): Promise<void>;
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

const lineOf = (repository: Named): Task => lineTask(repository, null);

export function createLine(needs: Needs): Line {
  const { handle, account_budgets = NO_ACCOUNT_BUDGETS } = needs;
  const { jobs, repositories, queue } = needs.store;
  const inTurn = createTurns();
  const inTurnOfAccount = createTurns();
  const may_be_set = account_budgets !== NO_ACCOUNT_BUDGETS;
  const facts = createLineFacts({ ...needs, ...needs.store, account_budgets });

  const next = (repository: Named) => firstToBegin(jobs, facts, repository);

  const move = async (repository: Named, signal: AbortSignal): Promise<void> => {
    let told: JobId | null = null;
    for (let first = await next(repository); first !== null && !signal.aborted; first = await next(repository)) {
      const answer = await handle(first.id, { type: "begin" });
      const begins = answer.ok && answer.changed && answer.job.line === null;
      // one that was cancelled meanwhile leaves the place to the one behind it
      if (first.alone || (!begins && told === first.id)) break;
      told = begins ? null : first.id;
    }
    await showPlaces(needs, repository);
  };

  return {
    // the repository's turn first, always: so nobody waits for somebody who waits for them
    inTurn: (repository, account, work) =>
      // and the account's even before anybody has a budget: a first one may be set meanwhile
      inTurn(repositoryGuard(repository), () => (may_be_set ? inTurnOfAccount(accountNamed(account), work) : work())),
    guards: (repository, account) => [repositoryGuard(repository), ...(may_be_set ? [accountGuard(account)] : [])],
    facts,
    accountChanged: async (account) => queue.schedule((await linesOf(needs.store, account)).map(lineOf)),
    moveAll: async () => queue.schedule((await jobs.lines()).map((name) => lineOf(named(name)))),
    handlers: {
      line: {
        slots: SLOTS,
        async perform(key, { signal }) {
          const [repository, account] = [repositoryOf(key), accountOf(key)];
          await move(repository, signal);
          // one after another: the repository whose job has given it back comes first
          if (account !== null && account_budgets.any())
            for (const other of await linesOf(needs.store, account)) await move(other, signal);
          return null;
        },
      },
      limits: {
        slots: SLOTS,
        async perform(key) {
          const state = await repositories.byId(Number(key));
          if (state === null) return null;
          await queue.schedule([lineOf(state)]);
          await tellLimits(needs, state);
          return null;
        },
      },
    },
  };
}
