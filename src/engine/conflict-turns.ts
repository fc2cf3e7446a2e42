/**
 * Gives pull requests for one base branch their turns to catch up with it, one after the other. Follows the commits: a
 * commit of a job that is or was in the line has it looked at. A lost wake-up comes with the job's next commit, such as the
 * hourly reconciliation's.
 */
import { lineOf } from "../domain/job/turns.ts";
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import { baseOf } from "./ports/task-keys.ts";
import type { TaskHandler } from "./ports/work-queue.ts";

const SLOTS = 10;

interface Needs {
  readonly jobs: Pick<JobStore, "openIn">;
  readonly handle: Handle;
  readonly clock: Pick<Clock, "now">;
}

export const createConflictTurns = ({ jobs, handle, clock }: Needs): TaskHandler => ({
  slots: SLOTS,
  async perform(key, { signal }) {
    const { repository, branch } = baseOf(key);
    const open = (await jobs.openIn(repository)).filter(({ base }) => base.branch === branch);
    const inLine = lineOf(open, clock.now());
    for (const [at, { id, catch_up }] of inLine.entries()) {
      if (signal.aborted) break;
      const after = inLine[at - 1]?.pull_request?.number ?? null;
      const { turn } = catch_up;
      if (turn?.taken_at === null && (after === null || after !== turn.after))
        await handle(id, { type: "turn", after });
    }
    return null;
  },
});
