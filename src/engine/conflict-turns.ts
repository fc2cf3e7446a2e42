/**
 * Gives pull requests for one base branch their turns to catch up with it, one after the other. Follows the commits: a
 * commit of a job that is or was in the line has it looked at. A lost wake-up comes with the job's next commit, such as the
 * hourly reconciliation's.
 */
import { fullName, type Job } from "../domain/job/job.ts";
import { lineOf } from "../domain/job/turns.ts";
import type { Handle } from "./handle-command.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";

export interface ConflictTurns {
  committed(job: Job, before: Job | null): void;
  /** Resolves when nobody's turn is being found any more. */
  stop(): Promise<void>;
}

interface Needs {
  readonly jobs: Pick<JobStore, "openIn">;
  readonly handle: Handle;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "error">;
}

interface Line {
  readonly repository: string;
  readonly branch: string | null;
}

const isOf = ({ base }: Job, { branch }: Line): boolean => base.branch === branch;

export function createConflictTurns({ jobs, handle, clock, log }: Needs): ConflictTurns {
  /** Lines that are being looked at, and whether once more after that. */
  const looking = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  let stopped = false;

  const look = async (line: Line): Promise<void> => {
    const inLine = lineOf(
      (await jobs.openIn(line.repository)).filter((job) => isOf(job, line)),
      clock.now(),
    );
    for (const [at, { id, catch_up }] of inLine.entries()) {
      if (stopped) return;
      const after = inLine[at - 1]?.pull_request?.number ?? null;
      const { turn } = catch_up;
      if (turn?.taken_at === null && (after === null || after !== turn.after))
        await handle(id, { type: "turn", after });
    }
  };

  const repeat = async (key: string, line: Line): Promise<void> => {
    for (;;) {
      // what is committed meanwhile sets it again
      const entry = looking.get(key);
      if (entry !== undefined) entry.again = false;
      await look(line).catch((error: unknown) =>
        log.error(
          { repository: line.repository, error },
          "nobody's turn to catch up was found; the next commit does it",
        ),
      );
      if (stopped || entry?.again !== true) break;
    }
    looking.delete(key);
  };

  return {
    committed(job, before) {
      if (stopped || (job.catch_up.turn === null && (before?.catch_up.turn ?? null) === null)) return;
      const line = { repository: fullName(job.repository), branch: job.base.branch };
      const key = JSON.stringify(line);
      const known = looking.get(key);
      if (known !== undefined) known.again = true;
      else looking.set(key, { again: false, done: Promise.resolve().then(() => repeat(key, line)) });
    },
    async stop() {
      stopped = true;
      await Promise.all([...looking.values()].map(({ done }) => done));
    },
  };
}
