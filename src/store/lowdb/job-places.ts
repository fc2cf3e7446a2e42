/** Which jobs of a repository have or wait for a place that its limits count. */
import type { Place } from "../../domain/job/line.ts";
import { type JobFacts, repositoryKey } from "../facts.ts";

type Placed = Pick<JobFacts, "repository" | "place">;

export class JobPlaces {
  readonly #of = new Map<string, Set<Placed>>();
  /** How many wait. */
  readonly #waiting = new Map<string, number>();

  /** By name, in any case. */
  of(repository: string): Place[] {
    const here = this.#of.get(repositoryKey(repository));
    return here === undefined ? [] : [...here].flatMap(({ place }) => (place === null ? [] : [place]));
  }

  /** Repositories in which a job waits. */
  lines(): string[] {
    return [...this.#waiting.keys()];
  }

  add(job: Placed): void {
    if (job.place === null) return;
    const here = this.#of.get(job.repository);
    if (here === undefined) this.#of.set(job.repository, new Set([job]));
    else here.add(job);
    this.#count(job, 1);
  }

  remove(job: Placed): void {
    if (job.place === null) return;
    const here = this.#of.get(job.repository);
    here?.delete(job);
    if (here?.size === 0) this.#of.delete(job.repository);
    this.#count(job, -1);
  }

  #count({ repository, place }: Placed, times: 1 | -1): void {
    if (place === null || place.waits_since === null) return;
    const waiting = (this.#waiting.get(repository) ?? 0) + times;
    if (waiting === 0) this.#waiting.delete(repository);
    else this.#waiting.set(repository, waiting);
  }
}
