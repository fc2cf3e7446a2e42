/** Pays what is owed for work as soon as the sender's wallet receives money from any source. */
import type { Handle } from "./handle-command.ts";
import type { JobStore, StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";

export interface Debts {
  /** This account may have received money; null: any account. */
  settle(account: string | null): Promise<void>;
  /** The commit may have paid an account that owes money. */
  committed(stored: StoredJob): void;
  /** Resolves when payments in progress have ended. */
  stop(): Promise<void>;
}

const USER = "user:";

/** Accounts that received money in the newest commit. */
const gainers = ({ job, postings }: StoredJob): readonly string[] =>
  postings
    .filter(({ account, cents, at }) => at === job.updated_at && cents > 0 && account.startsWith(USER))
    .map(({ account }) => account.slice(USER.length));

export function createDebts(parts: {
  readonly jobs: Pick<JobStore, "owing">;
  readonly handle: Handle;
  readonly log: Log;
}): Debts {
  const { jobs, handle, log } = parts;
  const settling = new Set<Promise<void>>();

  const settle = async (account: string | null): Promise<void> => {
    for (const id of await jobs.owing(account)) await handle(id, { type: "settle" });
  };

  return {
    settle,
    committed(stored) {
      for (const account of gainers(stored)) {
        const settlement: Promise<void> = settle(account)
          .catch((error: unknown) => log.error({ error }, "a debt could not be settled; the next payment does it"))
          .finally(() => settling.delete(settlement));
        settling.add(settlement);
      }
    },
    async stop() {
      await Promise.allSettled(settling);
    },
  };
}
