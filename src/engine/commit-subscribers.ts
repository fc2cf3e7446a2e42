/**
 * Notifies callers that wait for or follow a job: the store's signals wake them, without polling. Changes that come while
 * a job is read share the next reading, as do all who follow it.
 */
import type { JobId } from "../domain/job/job.ts";
import type { Clock } from "./ports/clock.ts";
import type { JobSignals } from "./ports/job-signals.ts";
import type { JobStore, StoredJob } from "./ports/jobs.ts";
import type { Log } from "./ports/log.ts";

type Predicate = (stored: StoredJob) => boolean;
type Tell = (stored: StoredJob) => void | Promise<void>;

export interface CommitSubscribers {
  waitFor(id: JobId, predicate: Predicate, timeout_ms: number): Promise<StoredJob | null>;
  follow(id: JobId, tell: Tell): () => void;
}

interface Needs {
  readonly jobs: Pick<JobStore, "load">;
  readonly signals: JobSignals;
  readonly clock: Clock;
  readonly log: Pick<Log, "error">;
}

interface Follower {
  readonly tell: Tell;
  readonly failed: (error: unknown) => void;
}

/** Everybody who follows one job. */
class Followers {
  readonly #load: () => Promise<StoredJob | null>;
  readonly #all = new Set<Follower>();
  #working = false;
  #again = false;

  constructor(load: () => Promise<StoredJob | null>) {
    this.#load = load;
  }

  get size(): number {
    return this.#all.size;
  }

  add(follower: Follower): void {
    this.#all.add(follower);
  }

  delete(follower: Follower): void {
    this.#all.delete(follower);
  }

  /** Never throws. */
  readonly refresh = async (): Promise<void> => {
    this.#again = this.#working;
    if (this.#working) return;
    this.#working = true;
    do {
      this.#again = false;
      await this.#tell();
    } while (this.#again);
    this.#working = false;
  };

  async #tell(): Promise<void> {
    try {
      const stored = await this.#load();
      if (stored === null) return;
      await Promise.all([...this.#all].map(async ({ tell, failed }) => tellOne(() => tell(stored), failed)));
    } catch (error) {
      for (const { failed } of this.#all) failed(error);
    }
  }
}

async function tellOne(tell: () => void | Promise<void>, failed: (error: unknown) => void): Promise<void> {
  try {
    await tell();
  } catch (error) {
    failed(error);
  }
}

export function createCommitSubscribers({ jobs, signals, clock, log }: Needs): CommitSubscribers {
  const followed = new Map<JobId, { readonly followers: Followers; readonly leave: () => void }>();

  const open = (id: JobId) => {
    const followers = new Followers(() => jobs.load(id));
    const room = { followers, leave: signals.follow(id, () => void followers.refresh()) };
    followed.set(id, room);
    return room;
  };

  const follow = (id: JobId, tell: Tell, failed: Follower["failed"]): (() => void) => {
    const room = followed.get(id) ?? open(id);
    const follower = { tell, failed };
    room.followers.add(follower);
    void room.followers.refresh();
    return () => {
      room.followers.delete(follower);
      if (room.followers.size > 0 || followed.get(id) !== room) return;
      followed.delete(id);
      room.leave();
    };
  };

  return {
    follow: (id, tell) => follow(id, tell, (error) => log.error({ job: id, error }, "a follower could not be told")),
    waitFor: (id, predicate, timeout_ms) => {
      const { promise, resolve, reject } = Promise.withResolvers<StoredJob | null>();
      const tell = (stored: StoredJob): void => {
        if (predicate(stored)) resolve(stored);
      };
      const leave = follow(id, tell, reject);
      const cancel = clock.at(clock.now() + timeout_ms, () => resolve(null));
      return promise.finally(() => {
        leave();
        cancel();
      });
    },
  };
}
