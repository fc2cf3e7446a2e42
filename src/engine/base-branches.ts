/** Jobs that a push to their base branch, or its deletion, may concern. GitHub sends no event for a conflict. */
import type { Command } from "../domain/job/command.ts";
import type { EventRepository } from "../domain/job/github-event.ts";
import { fullName, type Job, type JobId, sameRepository } from "../domain/job/job.ts";
import { isWatched } from "../domain/job/rules/reviewing.ts";
import type { JobStore } from "./ports/jobs.ts";

/** Jobs that one push has looked at, the oldest; the hourly reconciliation covers the rest. */
const MAX_REEVALUATED = 40;

interface Moved {
  readonly repository: EventRepository;
  readonly branch: string;
  readonly deleted?: boolean;
}

interface Told {
  readonly id: JobId;
  readonly command: Command;
}

const LOOK: Command = { type: "look", forced: false };

/** Conflicts already, and is looked at when its turn has come. */
const waitsItsTurn = ({ catch_up: { turn } }: Job): boolean => turn?.need === "conflict" && turn.taken_at === null;

type OpenJobs = Pick<JobStore, "openIn">;

async function openFor(jobs: OpenJobs, moved: Moved): Promise<readonly Job[]> {
  const open = await jobs.openIn(fullName(moved.repository));
  return open.filter((job) => sameRepository(job.repository, moved.repository) && job.base.branch === moved.branch);
}

/** Those whose pull requests may conflict now, or be behind. */
async function toLookAt(jobs: OpenJobs, moved: Moved): Promise<readonly Told[]> {
  const open = await openFor(jobs, moved);
  return open
    .filter((job) => isWatched(job) && !waitsItsTurn(job))
    .slice(0, MAX_REEVALUATED)
    .map(({ id }) => ({ id, command: LOOK }));
}

/** Jobs that have just ended are the newest of theirs. */
const MOST_ENDED = 20;

/**
 * What those are told whose base branch is gone. Their pull requests may be closed already, and they with them. A default
 * branch cannot be deleted: it has another name, or is the default no more.
 */
async function ofDeletion(jobs: Pick<JobStore, "openIn" | "list">, moved: Moved): Promise<readonly Told[]> {
  const told = new Map((await openFor(jobs, moved)).map((job) => [job.id, job]));
  for (const status of ["verified", "cancelled"] as const) {
    const newest = await jobs.list({ repository: fullName(moved.repository), status, limit: MOST_ENDED });
    for (const job of newest.jobs) if (job.base.branch === moved.branch && !job.base.is_default) told.set(job.id, job);
  }
  return [...told.values()].map(({ id, base }) => ({
    id,
    command: base.is_default ? LOOK : { type: "base-deleted", branch: moved.branch },
  }));
}

/** What the jobs are told whose base branch was pushed to, or deleted. */
export const ofMoved = (jobs: Pick<JobStore, "openIn" | "list">, moved: Moved): Promise<readonly Told[]> =>
  moved.deleted === true ? ofDeletion(jobs, moved) : toLookAt(jobs, moved);
