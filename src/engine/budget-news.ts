/** Tells a repository how much of its budget is used, after commits that may have changed that. */
import { budgetsSeen } from "../domain/job/budget-seen.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { ReadLineFacts } from "./line-facts.ts";
import type { RepositoryStore } from "./ports/repositories.ts";
import { repositoryOf } from "./ports/task-keys.ts";
import type { TaskHandler } from "./ports/work-queue.ts";

const SLOTS = 10;

interface Needs {
  readonly repositories: Pick<RepositoryStore, "get">;
  readonly facts: ReadLineFacts;
  readonly handleRepository: HandleRepository;
}

export const createBudgetNews = ({ repositories, facts, handleRepository }: Needs): TaskHandler => ({
  slots: SLOTS,
  async perform(key) {
    const { owner, name } = repositoryOf(key);
    const known = await repositories.get(owner, name);
    if (known === null) return null;
    const budgets = budgetsSeen(await facts(known, null));
    if (budgets.some(({ level }) => level !== null)) await handleRepository(known.id, { type: "budget-seen", budgets });
    return null;
  },
});
