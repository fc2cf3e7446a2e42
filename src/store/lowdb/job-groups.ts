/**
 * Jobs in order of age, for lists: one order for each account, repository and status and every combination of them, so
 * that a page costs the same whatever else is stored.
 */
import type { Status } from "../../domain/job/job.ts";
import type { JobFacts } from "../facts.ts";
import { SortedList } from "./sorted-list.ts";

/** A place in the order of age, where a job stands or a page ended. */
export type Place = Pick<JobFacts, "created_at"> & { readonly id: string };

export const byAge = (a: Place, b: Place): number =>
  a.created_at - b.created_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

export type AgeOrder = SortedList<JobFacts, Place>;

/** Jobs that share an account, a repository, both or nothing. */
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

/** The empty name, which nobody has, stands for any. */
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

  /** Runs `change`, which may change the job's status, but not its place. */
  restate(job: JobFacts, change: () => void): void {
    const groups = this.#groupsOf(job);
    for (const group of groups) group.of(job.status).remove(job);
    change();
    for (const group of groups) group.of(job.status).add(job);
  }

  /** Orders, oldest first, that together hold the jobs of this account and repository in these statuses. */
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
