/** Wakes jobs and repositories when their time has come. Commits schedule this, wherever they change that time. */
import { asJobId } from "../domain/job/job.ts";
import { nextTimerAt } from "../domain/job/next-timer.ts";
import { nextTimerAt as nextTimerOfRepository } from "../domain/repository/next-timer.ts";
import type { Handle } from "./handle-command.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { TaskAnswer, TaskHandler } from "./ports/work-queue.ts";

const SLOTS = 20;
/** For one that is due and did not change: nothing may wake without a pause. */
const PAUSE_MS = 5_000;

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly handle: Handle;
  readonly handleRepository: HandleRepository;
  readonly clock: Pick<Clock, "now">;
}

export function createTimers({ jobs, handle, handleRepository, clock }: Needs): {
  readonly job: TaskHandler;
  readonly repository: TaskHandler;
} {
  const again = (at: number | null): TaskAnswer =>
    at === null ? null : { again_at: Math.max(at, clock.now() + PAUSE_MS) };
  return {
    job: {
      slots: SLOTS,
      async perform(key) {
        const id = asJobId(key);
        if (id === null) return null;
        await handle(id, { type: "tick" });
        const stored = await jobs.load(id);
        return again(stored === null ? null : nextTimerAt(stored.job));
      },
    },
    repository: {
      slots: SLOTS,
      async perform(key) {
        const stored = await handleRepository(Number(key), { type: "tick" });
        return again(stored === null ? null : nextTimerOfRepository(stored.state));
      },
    },
  };
}
