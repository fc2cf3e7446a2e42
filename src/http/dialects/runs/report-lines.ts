/** Adds the lines that a run tells to its job's log. They change nothing of the job's record. */
import type { LogLine } from "../../../contracts/log-line.ts";
import { actionsWork } from "../../../domain/job/job.ts";
import { cleanLines } from "../../../domain/job/stored-log.ts";
import type { JobLog } from "../../../engine/ports/job-log.ts";
import type { StoredJob } from "../../../engine/ports/jobs.ts";

interface Reported {
  /** Up to which line they are known; 0: the run is asked to begin again. */
  readonly received: number;
  readonly added: boolean;
}

export async function reportLines(
  jobLog: Pick<JobLog, "append">,
  { job, log_nth }: Pick<StoredJob, "job" | "log_nth">,
  lines: readonly LogLine[],
): Promise<Reported> {
  const work = actionsWork(job);
  if (job.status !== "accepted" || work === null || work.run === null) return { received: 0, added: false };
  // the whole log came with the result
  if (work.handed_in !== null) return { received: lines.at(-1)?.seq ?? 0, added: false };
  const { last, added } = await jobLog.append(job.id, log_nth, cleanLines(lines));
  return { received: last, added };
}
