/**
 * Enforces holds and deadlines on request. The App's own timers do the same; running both is safe, since each job is
 * decided again and jobs that are not due do not change.
 */
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Enforced } from "./ports/service.ts";

const BATCH = 100;
/** Jobs per call; the next call continues. */
const MAX_BATCHES = 100;

export async function enforceDeadlines(parts: {
  readonly jobs: JobStore;
  readonly clock: Clock;
  readonly handle: Handle;
}): Promise<Enforced> {
  const { jobs, clock, handle } = parts;
  let released_holds = 0;
  let missed_deadlines = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const ids = await jobs.due(clock.now(), BATCH);
    for (const id of ids) {
      const before = (await jobs.load(id))?.job.status;
      const handled = await handle(id, { type: "tick" });
      const after = handled.ok ? handled.job.status : before;
      if (before === "held" && after === "queued") released_holds += 1;
      if (before === "accepted" && after !== "accepted") missed_deadlines += 1;
    }
    if (ids.length < BATCH) break;
  }
  return { released_holds, missed_deadlines };
}
