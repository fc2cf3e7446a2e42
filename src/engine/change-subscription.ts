/** Changes a subscription as it stands at that moment, whoever else changes it. */
import type { StoredSubscription, SubscriptionStore } from "./ports/subscriptions.ts";
import { retryConflicts } from "./retry-conflicts.ts";

/** The changed one; null: there is none. */
export const changeSubscription = (
  subscriptions: Pick<SubscriptionStore, "get" | "replace">,
  id: string,
  to: (before: StoredSubscription) => StoredSubscription,
): Promise<StoredSubscription | null> =>
  retryConflicts(`Subscription ${id}`, async () => {
    const before = await subscriptions.get(id);
    if (before === null) return null;
    return (await subscriptions.replace(to(before))) ?? "again";
  });
