/**
 * In-memory index that finds jobs without opening their files: facts about each job, built at the start and changed
 * only after a successful write. Holds no records.
 */

import type { CommentId } from "../../domain/job/comment-id.ts";
import { isFinal, STATUSES, type Status } from "../../domain/job/job.ts";
import type { JobCounts } from "../../engine/ports/jobs.ts";
import { type JobFacts, repositoryKey } from "../facts.ts";
import { AccountUsageIndex } from "./account-usage.ts";
import { JobGroups } from "./job-groups.ts";
import { JobPlaces } from "./job-places.ts";
import { NumberedJobs, type NumberKind } from "./numbered-jobs.ts";
import { SortedList } from "./sorted-list.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const FINAL = STATUSES.filter(isFinal);

const byWake = (a: JobFacts, b: JobFacts): number =>
  (a.wake_at ?? 0) - (b.wake_at ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Nothing moves the job in the order of age, to another list or to another number. */
const sameSpot = (a: JobFacts, b: JobFacts): boolean =>
  a.created_at === b.created_at &&
  a.account === b.account &&
  a.repository === b.repository &&
  a.pull_requests.join() === b.pull_requests.join() &&
  a.issue === b.issue &&
  a.comment === b.comment;

export class JobIndex {
  readonly groups = new JobGroups();
  readonly accounts = new AccountUsageIndex();
  readonly #jobs = new Map<string, Mutable<JobFacts>>();
  readonly #numbered = new NumberedJobs();
  readonly #waking = new SortedList<JobFacts>(byWake);
  readonly #open = new Set<JobFacts>();
  /** By repository; one without open jobs is not in it. */
  readonly #openIn = new Map<string, Set<JobFacts>>();
  readonly #places = new JobPlaces();
  readonly #withEffects = new Set<JobFacts>();
  readonly #statuses = new Map(STATUSES.map((status) => [status, 0]));
  #pending = 0;
  #failing = 0;
  /** Interns account and repository names to save memory. */
  readonly #names = new Map<string, string>();

  get size(): number {
    return this.#jobs.size;
  }

  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** The facts are this index's from now on. */
  put(next: JobFacts): void {
    const known = this.#jobs.get(next.id);
    if (known !== undefined && sameSpot(known, next)) {
      this.#change(known, next);
      return;
    }
    if (known !== undefined) this.#remove(known);
    const job: Mutable<JobFacts> = next;
    job.account = this.#name(next.account);
    job.repository = this.#name(next.repository);
    this.#jobs.set(job.id, job);
    this.groups.add(job);
    this.#numbered.add(job);
    this.#mark(job);
  }

  delete(id: string): void {
    const known = this.#jobs.get(id);
    if (known === undefined) return;
    this.#remove(known);
    this.#jobs.delete(id);
  }

  /** Finished jobs that were created before then, oldest first, without those that count for quotas or are open. */
  *finishedBefore(at: number): Generator<JobFacts> {
    const orders = this.groups.find(undefined, undefined, FINAL);
    for (const order of orders)
      for (const job of order) {
        if (job.created_at >= at) break;
        if (job.over && !job.open && job.effects === 0) yield job;
      }
  }

  newest(kind: NumberKind, repository: string, number: CommentId): JobFacts | null {
    return this.#numbered.newest(kind, repositoryKey(repository), number);
  }

  open(): JobFacts[] {
    return [...this.#open];
  }

  openIn(repository: string): JobFacts[] {
    return [...(this.#openIn.get(repositoryKey(repository)) ?? [])];
  }

  get places(): Pick<JobPlaces, "of" | "lines" | "heldBy"> {
    return this.#places;
  }

  withEffects(): JobFacts[] {
    return [...this.#withEffects];
  }

  counts(): JobCounts {
    const of = (status: Status): number => this.#statuses.get(status) ?? 0;
    const statuses = {
      ...{ pending_payment: of("pending_payment"), queued: of("queued"), held: of("held"), accepted: of("accepted") },
      ...{ submitted: of("submitted"), waiting_for_user: of("waiting_for_user"), verified: of("verified") },
      ...{ cancelled: of("cancelled"), failed: of("failed") },
    };
    return { statuses, pending: this.#pending, failing: this.#failing };
  }

  due(now: number, limit: number): JobFacts[] {
    const due: JobFacts[] = [];
    for (let job = this.#waking.at(0); job !== undefined && due.length < limit; job = this.#waking.at(due.length)) {
      if (job.wake_at === null || job.wake_at > now) break;
      due.push(job);
    }
    return due;
  }

  /** In the order of their time. */
  waking(): Iterable<JobFacts> {
    return this.#waking;
  }

  #change(known: Mutable<JobFacts>, next: JobFacts): void {
    this.#unmark(known);
    const change = () => {
      known.repository_id = next.repository_id;
      known.status = next.status;
      known.outcome = next.outcome;
      known.held_until = next.held_until;
      known.wake_at = next.wake_at;
      known.open = next.open;
      known.place = next.place;
      known.over = next.over;
      known.worker = next.worker;
      known.given_up = next.given_up;
      known.owed_cents = next.owed_cents;
      known.effects = next.effects;
      known.pending = next.pending;
      known.failing = next.failing;
    };
    if (known.status === next.status) change();
    else this.groups.restate(known, change);
    this.#mark(known);
  }

  #remove(job: JobFacts): void {
    this.#unmark(job);
    this.groups.remove(job);
    this.#numbered.remove(job);
  }

  #mark(job: JobFacts): void {
    if (job.wake_at !== null) this.#waking.add(job);
    if (job.open) this.#begin(job);
    if (job.effects > 0) this.#withEffects.add(job);
    this.#places.add(job);
    this.#count(job, 1);
  }

  #unmark(job: JobFacts): void {
    if (job.wake_at !== null) this.#waking.remove(job);
    if (job.open) this.#end(job);
    this.#withEffects.delete(job);
    this.#places.remove(job);
    this.#count(job, -1);
  }

  #begin(job: JobFacts): void {
    this.#open.add(job);
    const here = this.#openIn.get(job.repository);
    if (here === undefined) this.#openIn.set(job.repository, new Set([job]));
    else here.add(job);
  }

  #end(job: JobFacts): void {
    this.#open.delete(job);
    const here = this.#openIn.get(job.repository);
    here?.delete(job);
    if (here?.size === 0) this.#openIn.delete(job.repository);
  }

  #count(job: JobFacts, times: 1 | -1): void {
    const { status, pending, failing } = job;
    this.accounts.count(job, times);
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + times);
    this.#pending += times * pending;
    this.#failing += times * failing;
  }

  #name(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    this.#names.set(text, text);
    return text;
  }
}
