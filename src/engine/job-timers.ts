/** Fires job timers. Keeps a single timeout armed for the earliest due job. */
import type { Job } from "../domain/job/job.ts";
import { nextTimerAt } from "../domain/job/next-timer.ts";
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";

/** Jobs per batch; the rest follows at once. */
const BATCH = 100;
const AFTER_FAILURE_MS = 5_000;

interface Needs {
  readonly jobs: JobStore;
  readonly clock: Clock;
  readonly handle: Handle;
  readonly log: Log;
}

export interface JobTimers {
  committed(job: Job): void;
  start(): Promise<void>;
  stop(): void;
}

export function createJobTimers({ jobs, clock, handle, log }: Needs): JobTimers {
  let armed: { readonly at: number; readonly cancel: () => void } | null = null;
  let stopped = false;

  const arm = (at: number): void => {
    if (stopped || (armed !== null && armed.at <= at)) return;
    armed?.cancel();
    armed = { at, cancel: clock.at(at, () => void wake()) };
  };

  const wake = async (): Promise<void> => {
    armed = null;
    let failed = false;
    const complain = (facts: object) => {
      failed = true;
      log.error(facts, "waking a job failed");
    };
    try {
      // One failure must not block the others.
      for (const id of await jobs.due(clock.now(), BATCH))
        await handle(id, { type: "tick" }).catch((error: unknown) => complain({ job: id, error }));
      const next = await jobs.nextWake();
      if (next !== null) arm(failed ? Math.max(next, clock.now() + AFTER_FAILURE_MS) : next);
    } catch (error) {
      complain({ error });
      arm(clock.now() + AFTER_FAILURE_MS);
    }
  };

  return {
    committed(job) {
      const at = nextTimerAt(job);
      if (at !== null) arm(at);
    },
    start: wake,
    stop() {
      stopped = true;
      armed?.cancel();
    },
  };
}
