/**
 * Jobs, one lowdb file each: a commit is one atomic file write whose cost does not depend on the number of jobs.
 * Nothing is awaited between the checks and the write, so two callers in this process cannot interfere. Memory changes
 * only after a successful write.
 */
import { LRUCache } from "lru-cache";
import { accountNamed } from "../../domain/job/account.ts";
import type { Held } from "../../domain/job/budget.ts";
import type { CommentId } from "../../domain/job/comment-id.ts";
import { fullName, type Job, type JobId } from "../../domain/job/job.ts";
import type { Place } from "../../domain/job/line.ts";
import { type JobOutcome, outcomeOf } from "../../domain/job/outcome.ts";
import type { AccountUsage } from "../../domain/job/quotas.ts";
import { type LedgerAccount, userAccount } from "../../domain/market/ledger.ts";
import type { EffectRef } from "../../domain/pending-effect.ts";
import { usageJobOf } from "../../domain/usage/figures.ts";
import type { AgentQuery } from "../../engine/ports/agents.ts";
import type {
  Claim,
  Commit,
  CommitAnswer,
  Guard,
  JobCounts,
  JobFilter,
  JobStore,
  Pruned,
  Retention,
  StoredJob,
} from "../../engine/ports/jobs.ts";
import type { Task, WorkQueue } from "../../engine/ports/work-queue.ts";
import { factsOf, type JobFacts, offerOf } from "../facts.ts";
import type { InProcessSignals } from "../in-process-signals.ts";
import { acknowledged, rescheduled } from "../next-effects.ts";
import { committed } from "../next-record.ts";
import { effectsLeftOfJob, tasksOfJob, timerOfJob } from "../tasks.ts";
import type { Folder } from "./disk.ts";
import { LowdbGuards } from "./guards.ts";
import { type JobRecord, jobFileName, jobFormat, usageOfHead } from "./job-file.ts";
import { byAge } from "./job-groups.ts";
import { JobIndex } from "./job-index.ts";
import type { FileJobLog } from "./job-log.ts";
import { pageOf } from "./job-page.ts";
import { scanJobs } from "./job-scan.ts";
import { frozen, type Kept, readFile, writeFile } from "./json-file.ts";
import type { LedgerIndex } from "./ledger.ts";
import { MarketQueue } from "./market-queue.ts";
import type { NumberKind } from "./numbered-jobs.ts";
import type { Leaving, LowdbSpending } from "./spending.ts";
import type { JournalUsage } from "./usage.ts";

/** Characters of job files kept in memory; objects take about three bytes for each. All others are read again. */
const MAX_CACHED_CHARACTERS = 16 * 1024 * 1024;

/** `job`: with its log. */
interface Old {
  readonly id: JobId;
  readonly goes: "job" | "log";
  readonly logged: boolean;
}

const countOf = (found: readonly Old[]): Pruned => ({
  jobs: found.filter(({ goes }) => goes === "job").length,
  logs: found.filter(({ logged }) => logged).length,
});

/** With the other rooms of the store. */
interface Shared {
  readonly now: () => number;
  readonly books: LedgerIndex;
  readonly spending: LowdbSpending;
  readonly usage: Pick<JournalUsage, "add">;
  readonly queue: Pick<WorkQueue, "schedule">;
  readonly signals: InProcessSignals;
  readonly logs: FileJobLog;
}

export class LowdbJobs implements JobStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #index = new JobIndex();
  readonly #offers = new MarketQueue();
  readonly #books: LedgerIndex;
  readonly #spending: LowdbSpending;
  readonly #usage: Pick<JournalUsage, "add">;
  readonly #guards = new LowdbGuards();
  readonly #claimed = new Set<JobId>();
  readonly #queue: Pick<WorkQueue, "schedule">;
  readonly #signals: InProcessSignals;
  readonly #logs: FileJobLog;
  readonly #cache = new LRUCache<string, StoredJob>({ maxSize: MAX_CACHED_CHARACTERS });

  constructor(folder: Folder, { now, books, spending, usage, queue, signals, logs }: Shared) {
    this.#folder = folder;
    this.#now = now;
    this.#queue = queue;
    this.#books = books;
    this.#spending = spending;
    this.#usage = usage;
    this.#signals = signals;
    this.#logs = logs;
    const found: JobFacts[] = [];
    const unbooked: JobId[] = [];
    for (const head of scanJobs(folder)) {
      const facts = factsOf(head.job, head.effects, head.outcome);
      found.push(facts);
      const offer = offerOf(head.job, facts.repository);
      if (offer !== null) this.#offers.put(head.job.id, offer);
      this.#book(head.job.id, head.postings, 0);
      if (!spending.found(head.job.id, head.job.created_at, usageOfHead(head))) unbooked.push(head.job.id);
      if (head.log_before !== undefined) logs.foundBefore(head.job.id, head.log_before);
    }
    // what comes in the order of its lists is added at their ends, which costs next to nothing
    for (const facts of found.sort(byAge)) this.#index.put(facts);
    logs.sweep((id) => this.#index.has(id));
    spending.derived(this.#leaving(unbooked));
    spending.opened((id) => this.#index.has(id));
  }

  async load(id: JobId): Promise<StoredJob | null> {
    return this.#open(id);
  }

  async commit(commit: Commit): Promise<CommitAnswer> {
    const before = this.#open(commit.job.id);
    if ((before?.version ?? 0) !== commit.expected_version) return { ok: false, why: "conflict" };
    const { guards = [], uses = [] } = commit;
    if (!this.#guards.holds(guards)) return { ok: false, why: "conflict" };
    const account = this.#books.balances.overdrawnBy(commit.postings);
    if (account !== null) return { ok: false, why: "insufficient", account };
    if (this.#isTaken(before?.job ?? null, commit.job)) return { ok: false, why: "pull_request_taken" };
    const stored = this.#write(committed(before, commit), before?.postings.length ?? 0);
    this.#guards.move(guards);
    for (const { kind, of } of uses) this.#usage.add(kind, of, commit.at);
    await this.#queue.schedule(tasksOfJob(before, stored));
    return { ok: true, stored };
  }

  /** What is left to do. */
  *tasks(): Generator<Task> {
    for (const { id } of this.#index.withEffects()) {
      const stored = this.#open(id);
      if (stored !== null) yield* effectsLeftOfJob(stored);
    }
    for (const { id, wake_at } of this.#index.waking()) yield* timerOfJob(id, wake_at);
  }

  async reschedule(id: JobId, effect: EffectRef, not_before: number): Promise<boolean> {
    return this.#rewrite(id, (before) => rescheduled(before, effect, not_before));
  }

  async acknowledge(id: JobId, effect: EffectRef): Promise<boolean> {
    return this.#rewrite(id, (before) => acknowledged(before, effect));
  }

  async balance(account: LedgerAccount): Promise<number> {
    return this.#books.balances.of(account);
  }

  async ofPullRequest(repository: string, number: number): Promise<JobId | null> {
    return this.#newest("pull_request", repository, number);
  }

  async ofIssue(repository: string, number: number): Promise<JobId | null> {
    return this.#newest("issue", repository, number);
  }

  async ofComment(repository: string, comment_id: CommentId): Promise<JobId | null> {
    return this.#newest("comment", repository, comment_id);
  }

  async guards(keys: readonly string[]): Promise<readonly Guard[]> {
    return this.#guards.read(keys);
  }

  async claim(to: AgentQuery): Promise<Claim | null> {
    const id = this.#offers.next(to, this.#claimed, this.#now());
    if (id === null) return null;
    this.#claimed.add(id);
    return { id, release: async () => void this.#claimed.delete(id) };
  }

  async list(filter: JobFilter): Promise<{ readonly jobs: readonly Job[]; readonly cursor: string | null }> {
    const { ids, cursor } = pageOf(this.#index.groups, filter, this.#now(), (id) => this.#outcome(id));
    const jobs = ids.map((id) => this.#job(id)).filter((job) => job !== undefined);
    return { jobs, cursor };
  }

  async open(): Promise<readonly JobId[]> {
    return this.#index.open().map(({ id }) => id);
  }

  async openIn(repository: string): Promise<readonly Job[]> {
    const open = this.#index.openIn(repository).toSorted(byAge);
    return open.map(({ id }) => this.#job(id)).filter((job) => job !== undefined);
  }

  async placesIn(repository: string, id?: number): Promise<readonly Place[]> {
    return this.#index.places.of(repository, id);
  }

  async heldBy(account: string): Promise<readonly (Held & { readonly id: JobId })[]> {
    return this.#index.places.heldBy(accountNamed(account));
  }

  async lines(): Promise<readonly string[]> {
    return this.#index.places.lines();
  }

  async withEffects(): Promise<readonly JobId[]> {
    return this.#index.withEffects().map(({ id }) => id);
  }

  async due(now: number, limit: number): Promise<readonly JobId[]> {
    return this.#index.due(now, limit).map(({ id }) => id);
  }

  async usageOf(account: string): Promise<AccountUsage> {
    const user = userAccount(account);
    const money = { paid_jobs: this.#books.payouts(user), wallet_cents: this.#books.balances.of(user) };
    return { ...this.#index.accounts.of(accountNamed(account), this.#now()), ...money };
  }

  async owing(account: string | null): Promise<readonly JobId[]> {
    return this.#index.accounts.owing(account === null ? null : accountNamed(account));
  }

  async count(): Promise<number> {
    return this.#index.size;
  }

  async counts(): Promise<JobCounts> {
    return this.#index.counts();
  }

  async prune(older: Retention, limit: number): Promise<Pruned> {
    const found = [...this.#old(older, limit)];
    const going = found.filter(({ goes }) => goes === "job").map(({ id }) => id);
    // what they cost outlives them
    this.#spending.keep(this.#leaving(going));
    for (const id of going) this.#delete(id);
    if (going.length > 0) this.#spending.left((id) => this.#index.has(id));
    for (const { id, goes } of found) if (goes === "log") this.#forgetLog(id);
    return countOf(found);
  }

  async prunable(older: Retention): Promise<Pruned> {
    return countOf([...this.#old(older, Number.POSITIVE_INFINITY)]);
  }

  /** A record is read only where something of it may go. */
  *#old({ jobs_before, logs_before }: Retention, limit: number): Generator<Old> {
    let left = limit;
    for (const { id, on_market, created_at } of this.#index.finishedBefore(
      Math.max(jobs_before ?? 0, logs_before ?? 0),
    )) {
      if (left === 0) return;
      const logged = this.#logs.has(id);
      const mayGo = !on_market && jobs_before !== null && created_at < jobs_before;
      if (!mayGo && !(logged && logs_before !== null && created_at < logs_before)) continue;
      const record = this.#read(id)?.data;
      if (record === undefined) continue;
      const { job, postings } = record;
      const isOlder = (than: number | null): boolean => than !== null && job.updated_at < than;
      const goes = mayGo && postings.length === 0 && isOlder(jobs_before) ? "job" : null;
      if (goes === null && !(logged && isOlder(logs_before))) continue;
      left -= 1;
      yield { id, goes: goes ?? "log", logged };
    }
  }

  /** What is counted of them, from their records. */
  #leaving(ids: readonly JobId[]): Leaving[] {
    return ids.flatMap((id) => {
      const record = this.#read(id)?.data;
      return record === undefined ? [] : [{ id, usage: usageJobOf(record.job, record.spending) }];
    });
  }

  /** A record of before would find its log again at the next start. */
  #forgetLog(id: JobId): void {
    if (this.#logs.isBefore(id)) this.#rewrite(id, (before) => before);
    this.#logs.remove(id);
  }

  /** The record goes first: a log without a job is swept at the next start. */
  #delete(id: JobId): void {
    this.#folder.remove(jobFileName(id));
    this.#logs.remove(id);
    this.#index.delete(id);
    this.#offers.put(id, null);
    this.#cache.delete(id);
  }

  /** Asked of a pull request that is new to the job; records of before the rule may share one, and so may jobs on a person's. */
  #isTaken(before: Job | null, { id, repository, pull_request, target }: Job): boolean {
    if (pull_request === null || target.kind === "pull-request" || before?.pull_request?.number === pull_request.number)
      return false;
    const owner = this.#newest("pull_request", fullName(repository), pull_request.number);
    return owner !== null && owner !== id;
  }

  #newest(kind: NumberKind, repository: string, number: CommentId): JobId | null {
    return this.#index.newest(kind, repository, number)?.id ?? null;
  }

  #open(id: string): StoredJob | null {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const kept = this.#read(id);
    if (kept === null) return null;
    const { log_before: _, ...stored } = kept.data;
    return this.#remember(frozen(stored), kept.size);
  }

  #job(id: string): Job | undefined {
    return this.#cache.get(id)?.job ?? this.#read(id)?.data.job;
  }

  #outcome(id: string): JobOutcome | null {
    const job = this.#job(id);
    return job === undefined ? null : outcomeOf(job);
  }

  #read(id: string): Kept<JobRecord> | null {
    if (!this.#index.has(id)) return null;
    const kept = readFile(this.#folder, jobFileName(id), jobFormat);
    if (kept === null) throw new Error(`${this.#folder.pathOf(jobFileName(id))} has vanished while it was in use.`);
    return kept;
  }

  #rewrite(id: JobId, change: (before: StoredJob) => StoredJob | null): boolean {
    const before = this.#open(id);
    const next = before === null ? null : change(before);
    if (next === null) return false;
    this.#write(next, next.postings.length);
    return true;
  }

  /** `booked`: how many of the record's postings are in the books already. */
  #write(next: StoredJob, booked: number): StoredJob {
    const { id } = next.job;
    const before = this.#open(id);
    this.#logs.adopt(id);
    const kept = writeFile(this.#folder, jobFileName(id), jobFormat, next);
    this.#logs.leftBefore(id);
    const facts = factsOf(kept.data.job, kept.data.effects, outcomeOf(kept.data.job));
    this.#index.put(facts);
    this.#offers.put(id, offerOf(kept.data.job, facts.repository));
    this.#book(id, kept.data.postings, booked);
    this.#spend(before, kept.data);
    const stored = this.#remember(kept.data, kept.size);
    this.#signals.publish(id);
    return stored;
  }

  #spend(before: StoredJob | null, after: JobRecord): void {
    const next = usageJobOf(after.job, after.spending);
    this.#spending.changed(before === null ? null : usageJobOf(before.job, before.spending), next);
  }

  /** A record's postings from this one on. */
  #book(job: JobId, postings: StoredJob["postings"], from: number): void {
    for (let first = from; first < postings.length; ) {
      const at = postings[first]?.at ?? 0;
      const end = postings.findIndex((posting, index) => index > first && posting.at !== at);
      const together = postings.slice(first, end < 0 ? postings.length : end);
      const base = first;
      this.#books.add({ postings: together, at, job, note: null, idOf: (position) => `${job}.${base + position}` });
      first += together.length;
    }
  }

  #remember(stored: StoredJob, size: number): StoredJob {
    this.#cache.set(stored.job.id, stored, { size });
    return stored;
  }
}
