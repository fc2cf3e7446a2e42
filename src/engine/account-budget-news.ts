/**
 * Tells the webhooks of an account, and the log, how much of the operator's budget for it is used. Each once in its day or
 * month, whichever process tells it: a delivery has the same id then. A failure costs the job nothing, and is made up for
 * by the next job of the account.
 */
import { LRUCache } from "lru-cache";
import { accountNamed } from "../domain/job/account.ts";
import { accountBudgetsSeen, type SeenOfAccount, tellAccountBudget } from "../domain/job/account-budget-seen.ts";
import { concernsBudget } from "../domain/job/budget-seen.ts";
import { fullName, type Job } from "../domain/job/job.ts";
import type { AccountBudgets } from "./ports/account-budgets.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { SpendingStore } from "./ports/spending.ts";
import type { EventPublisher, MayHear } from "./ports/webhooks.ts";

/** Notices that are known to be told; one that is forgotten is told once more to nobody but the log. */
const MOST_KEPT = 10_000;

interface Needs {
  readonly account_budgets: AccountBudgets;
  readonly spending: Pick<SpendingStore, "spentIn">;
  readonly eventPublisher: Pick<EventPublisher, "publishToAccount">;
  readonly mayHear: MayHear;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "warn">;
}

export function createAccountBudgetNews(needs: Needs): { committed(job: Job, before: Job | null): void } {
  const { account_budgets, spending, eventPublisher, mayHear, clock, log } = needs;
  const told = new LRUCache<string, true>({ max: MOST_KEPT });

  const tell = async (job: Job, account: string, seen: SeenOfAccount, now: number): Promise<void> => {
    const { event, once } = tellAccountBudget(seen, { account, repository: fullName(job.repository), now });
    const keyOf = (type: typeof event.type): string => `${account} ${type} ${once}`;
    const key = keyOf(event.type);
    // what is spent is not nearly spent when a job gives some of it back
    if (told.has(key) || told.has(keyOf("account_budget.exhausted"))) return;
    told.set(key, true);
    log.warn(
      { account, event: event.type, limit: event.data.subject, used_cents: seen.used, most_cents: seen.most },
      event.data.text,
    );
    const ended = await eventPublisher.publishToAccount(event, { account, repository: job.repository, once }, mayHear);
    if (ended.ended === "later") told.delete(key);
  };

  const look = async (job: Job): Promise<void> => {
    const account = accountNamed(job.account);
    const limits = await account_budgets.of(account);
    if (limits === null) return;
    const now = clock.now();
    const waits_for = job.line?.limit ?? null;
    for (const seen of accountBudgetsSeen(limits, await spending.spentIn({ account }, now), waits_for))
      await tell(job, account, seen, now);
  };

  return {
    committed(job, before) {
      if (!account_budgets.any() || !concernsBudget(job, before)) return;
      look(job).catch((error: unknown) =>
        log.warn({ account: job.account, error }, "nobody was told how much of an account's budget is used"),
      );
    },
  };
}
