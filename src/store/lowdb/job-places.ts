/** Which jobs of a repository have or wait for a place that its limits count. */
import type { Held } from "../../domain/job/budget.ts";
import type { JobId } from "../../domain/job/job.ts";
import type { Place } from "../../domain/job/line.ts";
import { type JobFacts, repositoryKey } from "../facts.ts";

type Placed = Pick<JobFacts, "repository" | "repository_id" | "place">;

function addTo<K>(all: Map<K, Set<Placed>>, key: K, job: Placed): void {
  const here = all.get(key);
  if (here === undefined) all.set(key, new Set([job]));
  else here.add(job);
}

function removeFrom<K>(all: Map<K, Set<Placed>>, key: K, job: Placed): void {
  const here = all.get(key);
  here?.delete(job);
  if (here?.size === 0) all.delete(key);
}

export class JobPlaces {
  readonly #of = new Map<string, Set<Placed>>();
  readonly #byNumber = new Map<number, Set<Placed>>();
  /** What attempts under way hold of budgets, by account. */
  readonly #held = new Map<string, Map<JobId, Held & { readonly id: JobId }>>();
  /** How many wait. */
  readonly #waiting = new Map<string, number>();

  /** By name, in any case, and by number, since jobs may have another name of it for a moment. */
  of(repository: string, id?: number): Place[] {
    const named = this.#of.get(repositoryKey(repository)) ?? [];
    const numbered = id === undefined ? [] : (this.#byNumber.get(id) ?? []);
    return [...new Set([...named, ...numbered])].flatMap(({ place }) => (place === null ? [] : [place]));
  }

  /** `account`: as it is spelt in places. */
  heldBy(account: string): (Held & { readonly id: JobId })[] {
    return [...(this.#held.get(account)?.values() ?? [])];
  }

  /** Repositories in which a job waits. */
  lines(): string[] {
    return [...this.#waiting.keys()];
  }

  add(job: Placed): void {
    if (job.place === null) return;
    addTo(this.#of, job.repository, job);
    if (job.repository_id !== null) addTo(this.#byNumber, job.repository_id, job);
    this.#count(job, 1);
    this.#hold(job.place);
  }

  remove(job: Placed): void {
    if (job.place === null) return;
    removeFrom(this.#of, job.repository, job);
    if (job.repository_id !== null) removeFrom(this.#byNumber, job.repository_id, job);
    this.#count(job, -1);
    this.#release(job.place);
  }

  #hold({ id, account, held }: Place): void {
    if (held === null) return;
    const { at, cents } = held;
    const of = this.#held.get(account) ?? new Map<JobId, Held & { readonly id: JobId }>();
    this.#held.set(account, of.set(id, { id, at, cents }));
  }

  #release({ id, account }: Place): void {
    const of = this.#held.get(account);
    of?.delete(id);
    if (of?.size === 0) this.#held.delete(account);
  }

  #count({ repository, place }: Placed, times: 1 | -1): void {
    if (place === null || place.waits_since === null) return;
    const waiting = (this.#waiting.get(repository) ?? 0) + times;
    if (waiting === 0) this.#waiting.delete(repository);
    else this.#waiting.set(repository, waiting);
  }
}
