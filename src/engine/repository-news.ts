/**
 * Tells a repository what its jobs' commits say of it. A failure costs the job nothing: the set-up hears of the next run, and
 * a schedule looks at the job itself when it is due again.
 */
import type { Job } from "../domain/job/job.ts";
import type { HandleRepository } from "./handle-repository.ts";
import type { Log } from "./ports/log.ts";
import { scheduleNews } from "./schedules.ts";
import { setUpNews } from "./set-up-news.ts";

export function createRepositoryNews(
  handle: HandleRepository,
  log: Pick<Log, "warn">,
): (job: Job, before: Job | null) => void {
  return (job, before) => {
    const { id } = job.repository;
    if (id === undefined) return;
    for (const news of [setUpNews(before, job), scheduleNews(before, job)])
      if (news !== null)
        handle(id, news).catch((error: unknown) =>
          log.warn({ job: job.id, error }, "the repository did not hear of its job"),
        );
  };
}
