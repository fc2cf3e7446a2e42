/**
 * Finds and holds the best queued job for an agent. The store claims one and the commit decides: if somebody else was
 * faster, the next job is tried.
 */
import type { Handle } from "./handle-command.ts";
import type { Claim, JobStore } from "./ports/jobs.ts";
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
  return async (by) => {
    const full = await quotas.worker(by.account);
    if (full !== null) return { ok: false, refusal: full };
    const whose = by.by === undefined ? {} : { by: by.by };
    // one that was refused is not released before the end, so that the next claim is of another
    const claims: Claim[] = [];
    try {
      while (claims.length < MAX_MISSES) {
        const claim = await jobs.claim(by);
        if (claim === null) return null;
        claims.push(claim);
        const handled = await handle(claim.id, {
          ...{ type: "pull", agent_id: by.agent_id, account: by.account },
          ...whose,
        });
        if (handled.ok) return handled;
      }
      return null;
    } finally {
      for (const claim of claims) await claim.release();
    }
  };
}
