/**
 * Finds and holds the best queued job for an agent. The store proposes a job and the commit decides: if somebody else
 * was faster, the next job is tried.
 */
import type { JobId } from "../domain/job/job.ts";
import type { Handle } from "./handle-command.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Pull } from "./ports/service.ts";
import type { Quotas } from "./quotas.ts";

/** Give up after this many candidates were taken by others: the index is probably stale. */
const MAX_MISSES = 1_000;

export function createPull({
  jobs,
  handle,
  quotas,
}: {
  readonly jobs: JobStore;
  readonly handle: Handle;
  readonly quotas: Pick<Quotas, "worker">;
}): Pull {
  /** Jobs that another pull is about to claim; concurrent pulls skip them. */
  const beingClaimed = new Set<JobId>();

  return async (by) => {
    const full = await quotas.worker(by.account);
    if (full !== null) return { ok: false, refusal: full };
    for (let misses = 0; misses < MAX_MISSES; misses++) {
      const id = await jobs.offer(by, beingClaimed);
      if (id === null) return null;
      // Another pull may have been offered the same job.
      if (beingClaimed.has(id)) continue;
      beingClaimed.add(id);
      try {
        const whose = by.by === undefined ? {} : { by: by.by };
        const handled = await handle(id, { type: "pull", agent_id: by.agent_id, account: by.account, ...whose });
        if (handled.ok) return handled;
      } finally {
        beingClaimed.delete(id);
      }
    }
    return null;
  };
}
