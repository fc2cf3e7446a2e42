/** Pays what is owed for work as soon as the sender's wallet receives money from any source. */
import type { Handle } from "./handle-command.ts";
import type { JobStore } from "./ports/jobs.ts";
import { ANY, type TaskHandler } from "./ports/work-queue.ts";

const SLOTS = 4;

export interface Debts extends TaskHandler {
  /** This account may have received money; null: any account. */
  settle(account: string | null): Promise<void>;
}

export function createDebts({
  jobs,
  handle,
}: {
  readonly jobs: Pick<JobStore, "owing">;
  readonly handle: Handle;
}): Debts {
  const settle = async (account: string | null): Promise<void> => {
    for (const id of await jobs.owing(account)) await handle(id, { type: "settle" });
  };
  return {
    settle,
    slots: SLOTS,
    async perform(key) {
      await settle(key === ANY ? null : key);
      return null;
    },
  };
}
