/** Notifies callers that wait for or follow a job; commits wake them, without polling. */
import type { JobId } from "../domain/job/job.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobStore, StoredJob } from "./ports/jobs.ts";

type Predicate = (stored: StoredJob) => boolean;
type Tell = (stored: StoredJob) => void;

export interface CommitSubscribers {
  committed(stored: StoredJob): void;
  /** An effect of this job waits longer, which no commit says. */
  putOff(id: JobId): Promise<void>;
  waitFor(id: JobId, predicate: Predicate, timeout_ms: number): Promise<StoredJob | null>;
  follow(id: JobId, tell: Tell): () => void;
}

export function createCommitSubscribers(jobs: JobStore, clock: Clock): CommitSubscribers {
  const waiting = new Map<JobId, Set<Tell>>();

  const follow = (id: JobId, tell: Tell): (() => void) => {
    const listeners = waiting.get(id) ?? new Set();
    listeners.add(tell);
    waiting.set(id, listeners);
    return () => {
      listeners.delete(tell);
      if (listeners.size === 0 && waiting.get(id) === listeners) waiting.delete(id);
    };
  };

  const committed = (stored: StoredJob): void => {
    for (const tell of waiting.get(stored.job.id) ?? []) tell(stored);
  };

  return {
    committed,
    async putOff(id) {
      const stored = waiting.has(id) ? await jobs.load(id) : null;
      if (stored !== null) committed(stored);
    },
    follow,
    waitFor: (id, predicate, timeout_ms) =>
      new Promise((resolve, reject) => {
        const finish = (answer: StoredJob | null): void => {
          leave();
          cancel();
          resolve(answer);
        };
        const tell = (stored: StoredJob): void => {
          if (predicate(stored)) finish(stored);
        };
        const cancel = clock.at(clock.now() + timeout_ms, () => finish(null));
        const leave = follow(id, tell);
        // The awaited commit may have come before this call.
        jobs.load(id).then((stored) => stored && tell(stored), reject);
      }),
  };
}
