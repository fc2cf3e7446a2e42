/**
 * Pulling: the best queued job for an agent, held by it. The store says which, the commit decides: a job that somebody
 * else was faster with is passed over for the next.
 */
import type { JobId } from "../domain/job/job.ts";
import type { Handle } from "./handle-command.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Pull } from "./ports/service.ts";
import type { Quotas } from "./quotas.ts";

/** More jobs in a row that were gone mean that the queue is not what the store says. */
const MOST_MISSES = 1_000;

export function createPull({
  jobs,
  handle,
  quotas,
}: {
  readonly jobs: JobStore;
  readonly handle: Handle;
  readonly quotas: Pick<Quotas, "worker">;
}): Pull {
  /** On which a pull is being decided: others look past them instead of all reaching for the same. */
  const reachedFor = new Set<JobId>();

  return async (by) => {
    const full = await quotas.worker(by.account);
    if (full !== null) return { ok: false, refusal: full };
    for (let misses = 0; misses < MOST_MISSES; misses++) {
      const id = await jobs.offer(by, reachedFor);
      if (id === null) return null;
      // another pull may have been told the same
      if (reachedFor.has(id)) continue;
      reachedFor.add(id);
      try {
        const whose = by.by === undefined ? {} : { by: by.by };
        const handled = await handle(id, { type: "pull", agent_id: by.agent_id, account: by.account, ...whose });
        if (handled.ok) return handled;
      } finally {
        reachedFor.delete(id);
      }
    }
    return null;
  };
}
