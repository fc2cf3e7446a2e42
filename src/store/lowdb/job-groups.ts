/**
 * Jobs ordered by age, for lists: one order for each combination of account, repository and status, so that the cost of
 * a page does not depend on the number of jobs.
 */
import type { Status } from "../../domain/job/job.ts";
import type { JobFacts } from "../facts.ts";
import { SortedList } from "./sorted-list.ts";

/** A position in the order: a job's, or the end of a page. */
export type Place = Pick<JobFacts, "created_at"> & { readonly id: string };

export const byAge = (a: Place, b: Place): number =>
  a.created_at - b.created_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

export type AgeOrder = SortedList<JobFacts, Place>;

/** Jobs that share an account, a repository, both or neither. */
class Group {
  readonly all: AgeOrder = new SortedList<JobFacts, Place>(byAge);
  readonly #byStatus = new Map<Status, AgeOrder>();

  of(status: Status): AgeOrder {
    let order = this.#byStatus.get(status);
    if (order === undefined) {
      order = new SortedList<JobFacts, Place>(byAge);
      this.#byStatus.set(status, order);
    }
    return order;
  }
}

/** The empty name, which nobody has, stands for all. */
const ANY = "";

export class JobGroups {
  /** By account, then by repository. */
  readonly #groups = new Map<string, Map<string, Group>>();

  add(job: JobFacts): void {
    for (const group of this.#groupsOf(job)) {
      group.all.add(job);
      group.of(job.status).add(job);
    }
  }

  remove(job: JobFacts): void {
    for (const group of this.#groupsOf(job)) {
      group.all.remove(job);
      group.of(job.status).remove(job);
    }
  }

  /** Runs `change`, which may change the job's status but not its position. */
  restate(job: JobFacts, change: () => void): void {
    const groups = this.#groupsOf(job);
    for (const group of groups) group.of(job.status).remove(job);
    change();
    for (const group of groups) group.of(job.status).add(job);
  }

  /** Orders, oldest first, that together contain the jobs of this account and repository with these statuses. */
  find(account: string | undefined, repository: string | undefined, statuses: readonly Status[] | "any"): AgeOrder[] {
    const group = this.#groups.get(account ?? ANY)?.get(repository ?? ANY);
    if (group === undefined) return [];
    return statuses === "any" ? [group.all] : statuses.map((status) => group.of(status));
  }

  #groupsOf(job: JobFacts): Group[] {
    return [
      this.#group(ANY, ANY),
      this.#group(job.account, ANY),
      this.#group(ANY, job.repository),
      this.#group(job.account, job.repository),
    ];
  }

  #group(account: string, repository: string): Group {
    let ofAccount = this.#groups.get(account);
    if (ofAccount === undefined) {
      ofAccount = new Map();
      this.#groups.set(account, ofAccount);
    }
    let group = ofAccount.get(repository);
    if (group === undefined) {
      group = new Group();
      ofAccount.set(repository, group);
    }
    return group;
  }
}
