/**
 * What this process knows of the shelf: which job was taken from which state, and what must be put back. The first
 * save of a job comes before anything is done for it; after that one save at the end holds all that has happened.
 */

import { isFinal, type Job, type JobId, type Repository } from "../domain/job/job.ts";
import type { Log } from "../engine/ports/log.ts";
import type { Store } from "../engine/ports/store.ts";
import { read, write } from "./state.ts";
import type { StateBranchStore } from "./state-branch-store.ts";

export interface StateSession {
  /** Brings these jobs back into the store, as they rested. */
  restore(ids: readonly JobId[]): Promise<void>;
  restored(): readonly JobId[];
  /** Sees to it that the job can be found again by another process. */
  open(id: JobId): Promise<void>;
  /** Puts back every job that has changed. */
  close(): Promise<void>;
  /** Takes off the shelf what was over long ago. */
  retire(now: number): Promise<void>;
  /** Another process has saved one of these jobs since it was read here: what was decided here rests on old facts. */
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

const isOver = (job: Job): boolean =>
  isFinal(job.status) && (job.status !== "verified" || job.merged_at !== null || job.merge.state === "off");

export function createStateSession({ stateBranch, store, repository, log }: Needs): StateSession {
  const kept = new Map<JobId, Kept>();
  const restored: JobId[] = [];
  let conflicted = false;

  const save = async (id: JobId): Promise<void> => {
    const stored = await store.jobs.load(id);
    if (stored === null || conflicted) return;
    const text = write(stored);
    const before = kept.get(id) ?? null;
    if (before?.text === text) return;
    const saved = await stateBranch.save(id, text, before?.commit ?? null);
    if (saved.ok) kept.set(id, { commit: saved.commit, text });
    else conflicted = true;
    if (saved.ok) log.info({ job: id, status: stored.job.status, left: stored.effects.length }, "a job was put down");
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
          ...{ job, expected_version: 0, at: job.updated_at, history, postings: [], effects, done: null, log: lines },
        });
        if (!answer.ok) throw new Error(`Job ${id} was brought back twice`);
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
