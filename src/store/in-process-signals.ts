/** Signals between the parts of one process. */
import type { JobId } from "../domain/job/job.ts";
import type { JobSignals } from "../engine/ports/job-signals.ts";

export class InProcessSignals implements JobSignals {
  readonly #followed = new Map<JobId, Set<() => void>>();

  publish(id: JobId): void {
    for (const tell of this.#followed.get(id) ?? []) tell();
  }

  follow(id: JobId, tell: () => void): () => void {
    const followers = this.#followed.get(id) ?? new Set();
    this.#followed.set(id, followers);
    // one of its own, since the same function may follow twice
    const own = (): void => tell();
    followers.add(own);
    return () => {
      followers.delete(own);
      if (followers.size === 0 && this.#followed.get(id) === followers) this.#followed.delete(id);
    };
  }
}
