/**
 * Tracks what one process has read from the state branch and must save there. A job is saved before anything is done
 * for it, and once more at the end.
 */

import { isAtRest, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import type { Log } from "../engine/ports/log.ts";
import type { Store } from "../engine/ports/store.ts";
import { read, write } from "./state.ts";
import type { StateBranchStore } from "./state-branch-store.ts";

export interface StateSession {
  /** Restores these jobs into the store as they were saved. */
  restore(ids: readonly JobId[]): Promise<void>;
  restored(): readonly JobId[];
  /** Saves the job once, so that another process can find it. */
  open(id: JobId): Promise<void>;
  /** Saves every job that has changed. */
  close(): Promise<void>;
  /** Removes jobs that were over long ago from the state branch. */
  retire(now: number): Promise<void>;
  /** Another process has saved one of these jobs since it was read here, so decisions made here rest on old facts. */
  conflicted(): boolean;
}

interface Kept {
  readonly commit: string;
  readonly text: string;
}

interface Needs {
  readonly stateBranch: StateBranchStore;
  readonly store: Store;
  readonly repository: Repository;
  readonly log: Log;
}

/** One event touches a few jobs, a sweep as many as are brought back. */
const MAX_JOBS = 1_000;

/** How long a job that is over can still be asked for, retried or gone on with. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** One that expires has an end of its own. */
const isOver = (job: Job): boolean =>
  job.expiry === null &&
  isAtRest(job.status) &&
  (job.status !== "verified" || job.merged_at !== null || job.merge.state === "off");

export function createStateSession({ stateBranch, store, repository, log }: Needs): StateSession {
  const kept = new Map<JobId, Kept>();
  const restored: JobId[] = [];
  let conflicted = false;

  const save = async (id: JobId): Promise<void> => {
    const stored = await store.jobs.load(id);
    if (stored === null || conflicted) return;
    const text = write(stored, (await store.jobLog.read(id))?.lines ?? []);
    const before = kept.get(id) ?? null;
    if (before?.text === text) return;
    const saved = await stateBranch.save(id, text, before?.commit ?? null);
    if (saved.ok) kept.set(id, { commit: saved.commit, text });
    else conflicted = true;
    if (saved.ok) log.info({ job: id, status: stored.job.status, left: stored.effects.length }, "a job was saved");
  };

  return {
    async restore(ids) {
      for (const { id, commit, text } of await stateBranch.read(ids)) {
        const carried = read(text, id, repository);
        if (carried === null) {
          log.warn({ job: id }, "the state of a job cannot be read; it is left as it is");
          continue;
        }
        const { job, history, effects, log: lines } = carried;
        const answer = await store.jobs.commit({
          ...{ job, expected_version: 0, at: job.updated_at, history, postings: [], effects, done: null },
        });
        if (!answer.ok) throw new Error(`Job ${id} was brought back twice`);
        if (lines.length > 0) await store.jobLog.keep(id, Math.max(1, answer.stored.log_nth), lines);
        kept.set(id, { commit, text });
        restored.push(id);
      }
    },
    restored: () => restored,
    async open(id) {
      if (!kept.has(id)) await save(id);
    },
    async close() {
      const { jobs } = await store.jobs.list({ limit: MAX_JOBS });
      for (const { id } of jobs) await save(id);
    },
    async retire(now) {
      for (const id of restored) {
        const stored = await store.jobs.load(id);
        if (stored === null || stored.effects.length > 0 || !isOver(stored.job)) continue;
        if (stored.job.updated_at + KEPT_MS < now) await stateBranch.remove(id);
      }
    },
    conflicted: () => conflicted,
  };
}
