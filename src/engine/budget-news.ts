/** Tells a repository how much of its budget is used, after commits that may have changed that. A failure costs the job nothing. */
import { budgetsSeen } from "../domain/job/budget-seen.ts";
import { fullName, type Job, type Repository } from "../domain/job/job.ts";
import { beginsAttempt, givesPlace } from "../domain/job/line.ts";
import type { RepositoryState } from "../domain/repository/repository.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { ReadLineFacts } from "./line-facts.ts";
import type { Log } from "./ports/log.ts";
import type { RepositoryStore } from "./ports/repositories.ts";

interface Needs {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly facts: ReadLineFacts;
  readonly handleRepository: HandleRepository;
  readonly log: Pick<Log, "warn">;
}

export interface BudgetNews {
  committed(job: Job, before: Job | null): void;
  repositoryCommitted(state: RepositoryState, before: RepositoryState | null): void;
}

/** It was created, or takes, waits for, gives back or has used some of the budget. */
export const concernsBudget = (job: Job, before: Job | null): boolean =>
  before === null ||
  (before.line === null) !== (job.line === null) ||
  before.line?.limit !== job.line?.limit ||
  beginsAttempt(before, job) ||
  givesPlace(before, job);

export function createBudgetNews({ repositories, facts, handleRepository, log }: Needs): BudgetNews {
  const tell = async ({ owner, name }: Pick<Repository, "owner" | "name">): Promise<void> => {
    const known = await repositories.get(owner, name);
    if (known === null) return;
    const budgets = budgetsSeen(await facts(known, null));
    if (budgets.some(({ level }) => level !== null)) await handleRepository(known.id, { type: "budget-seen", budgets });
  };
  const look = (repository: Pick<Repository, "owner" | "name">): void => {
    tell(repository).catch((error: unknown) =>
      log.warn({ repository: fullName(repository), error }, "nobody was told how much of a budget is used"),
    );
  };
  return {
    committed(job, before) {
      if (concernsBudget(job, before)) look(job.repository);
    },
    repositoryCommitted(state, before) {
      if (JSON.stringify(state.settings?.budget) !== JSON.stringify(before?.settings?.budget)) look(state);
    },
  };
}
