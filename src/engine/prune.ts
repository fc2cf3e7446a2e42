/** Deletes what is older than the operator keeps: soon after the start, and then every day. */
import type { KeptDays } from "../contracts/retention.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore, Pruned, Retention } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";
import type { TaskHandler } from "./ports/work-queue.ts";
import { DAY_MS } from "./sliding-limit.ts";

/** After the start, which has enough to do. */
export const FIRST_PRUNE_MS = 10 * 60_000;
/** Records deleted in one go. */
const BATCH = 50;

const before = (now: number, days: number): number | null => (days === 0 ? null : now - days * DAY_MS);

export const retentionAt = (now: number, { jobs, logs }: KeptDays): Retention => ({
  jobs_before: before(now, jobs),
  logs_before: before(now, logs),
});

/** Deletes in batches, with other work between them. */
export async function pruneAll(
  jobs: Pick<JobStore, "prune">,
  older: Retention,
  goesOn: () => boolean = () => true,
): Promise<Pruned> {
  let all: Pruned = { jobs: 0, logs: 0 };
  while (goesOn()) {
    const pruned = await jobs.prune(older, BATCH);
    if (pruned.jobs === 0 && pruned.logs === 0) break;
    all = { jobs: all.jobs + pruned.jobs, logs: all.logs + pruned.logs };
    await yieldToEventLoop();
  }
  return all;
}

export function createPruning(parts: {
  readonly jobs: Pick<JobStore, "prune">;
  readonly kept: KeptDays;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "info" | "warn">;
}): TaskHandler {
  const { jobs, kept, clock, log } = parts;
  return {
    slots: 1,
    async perform(_key, { signal }) {
      try {
        const pruned = await pruneAll(jobs, retentionAt(clock.now(), kept), () => !signal.aborted);
        if (pruned.jobs > 0 || pruned.logs > 0) log.info({ ...pruned }, "deleted old jobs and logs");
      } catch (error) {
        log.warn({ error }, "old jobs could not be deleted; retrying in a day");
      }
      return { again_at: clock.now() + DAY_MS };
    },
  };
}
