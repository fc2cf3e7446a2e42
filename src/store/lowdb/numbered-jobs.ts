/** Finds jobs by the GitHub numbers of their issues and pull requests, per repository. */
import type { CommentId } from "../../domain/job/comment-id.ts";
import type { JobFacts } from "../facts.ts";
import { byAge } from "./job-groups.ts";

const KINDS = ["pull_request", "issue", "comment"] as const;
export type NumberKind = (typeof KINDS)[number];

type ByNumber = Map<CommentId, JobFacts[]>;

const numbersOf = (job: JobFacts, kind: NumberKind): readonly CommentId[] => {
  if (kind === "pull_request") return job.pull_requests;
  const number = job[kind];
  return number === null ? [] : [number];
};

export class NumberedJobs {
  readonly #byRepository = new Map<string, Record<NumberKind, ByNumber>>();

  add(job: JobFacts): void {
    const numbers = this.#numbersOf(job.repository);
    for (const kind of KINDS)
      for (const number of numbersOf(job, kind)) {
        const others = numbers[kind].get(number);
        if (others === undefined) numbers[kind].set(number, [job]);
        else others.push(job);
      }
  }

  remove(job: JobFacts): void {
    const numbers = this.#numbersOf(job.repository);
    for (const kind of KINDS)
      for (const number of numbersOf(job, kind)) {
        const others = numbers[kind].get(number)?.filter((other) => other !== job) ?? [];
        if (others.length === 0) numbers[kind].delete(number);
        else numbers[kind].set(number, others);
      }
  }

  newest(kind: NumberKind, repository: string, number: CommentId): JobFacts | null {
    const jobs = this.#byRepository.get(repository)?.[kind].get(number) ?? [];
    return jobs.reduce<JobFacts | null>((best, job) => (best === null || byAge(best, job) < 0 ? job : best), null);
  }

  #numbersOf(repository: string): Record<NumberKind, ByNumber> {
    let numbers = this.#byRepository.get(repository);
    if (numbers === undefined) {
      numbers = { pull_request: new Map(), issue: new Map(), comment: new Map() };
      this.#byRepository.set(repository, numbers);
    }
    return numbers;
  }
}
