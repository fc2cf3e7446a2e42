/** Brings the number of waiting jobs in their line up to date, for whoever reads them. */
import { fullName, type Job } from "../../domain/job/job.ts";
import { type Place, positionIn } from "../../domain/job/line.ts";
import type { JobStore } from "../../engine/ports/jobs.ts";

/** Each repository is asked for once, and only where a job waits. */
export async function withPositions(jobs: Pick<JobStore, "placesIn">, read: readonly Job[]): Promise<readonly Job[]> {
  const places = new Map<string, readonly Place[]>();
  const current: Job[] = [];
  for (const job of read) {
    if (job.line === null) current.push(job);
    else {
      const name = fullName(job.repository);
      const here = places.get(name) ?? (await jobs.placesIn(name));
      places.set(name, here);
      current.push({ ...job, line: { ...job.line, position: positionIn(here, job.id) ?? job.line.position } });
    }
  }
  return current;
}

export async function withPosition<J extends Job>(jobs: Pick<JobStore, "placesIn">, job: J): Promise<Job> {
  const [current] = await withPositions(jobs, [job]);
  return current ?? job;
}
