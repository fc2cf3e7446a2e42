/**
 * What jobs have cost and came to. It stands in their records, and for jobs whose records are gone, or were written before
 * it stood there, in one file of lines that is on the disk before the record goes. A job that has both counts by its
 * record. Lines of jobs that are gone are summed up by day once there are many.
 */
import { setImmediate } from "node:timers/promises";
import * as z from "zod";
import { fullName, type JobId } from "../../domain/job/job.ts";
import { type Counted, countedOf, dayOf, FIGURES, type UsageJob } from "../../domain/usage/figures.ts";
import { type SpendingStore, type Spent, USAGE_KEPT_DAYS, type UsageFilter } from "../../engine/ports/spending.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { readJournal } from "./journal-lines.ts";
import { SpendingIndex } from "./spending-index.ts";

const FILE = "kept.jsonl";

/** Fewer lines are not worth summing up. */
export const MANY_LINES = 1_000;

/** Figures that are given before others have a turn. */
const AT_ONCE = 1_000;

const numbers = z.number().int();
const countedSchema = z.object({
  day: numbers,
  of: z.object({
    repository_id: numbers.nullable(),
    repository: z.string(),
    account: z.string(),
    requester: z.string().nullable(),
    model: z.string().nullable(),
    started_by: z.object({ kind: z.enum(["schedule", "trigger"]), name: z.string() }).nullable(),
  }),
  figures: z.partialRecord(z.enum(FIGURES), numbers),
  merge_times: z.array(z.tuple([numbers, numbers])),
});

/** `job` null: of many that are gone. An id may be drawn again, so that a job is known by when it was created, too. */
const lineSchema = z.object({
  job: z.object({ id: z.string(), created_at: z.number() }).nullable(),
  counted: z.array(countedSchema),
});
interface Line {
  readonly job: { readonly id: string; readonly created_at: number } | null;
  readonly counted: readonly Counted[];
}

interface Kept {
  readonly jobs: Map<string, Line>;
  readonly sums: readonly Counted[];
}

/** What is counted of a job, without its record. */
export interface Leaving {
  readonly id: JobId;
  readonly usage: UsageJob;
}

/** Most commits change nothing that counts. What a record's account, requester and origin are never changes. */
const isSame = (a: UsageJob, b: UsageJob): boolean =>
  a.spending === b.spending &&
  a.outcome === b.outcome &&
  a.merged_at === b.merged_at &&
  a.model === b.model &&
  a.repository.id === b.repository.id &&
  fullName(a.repository) === fullName(b.repository);

const keyOf = ({ id, created_at }: { readonly id: string; readonly created_at: number }): string =>
  `${id} ${created_at}`;

const lineOf = (text: string): Line => lineSchema.parse(readRecord("spending", text));
const textOf = (line: Line): string => `${writeRecord("spending", line)}\n`;

const leavingLine = ({ id, usage }: Leaving): string =>
  textOf({ job: { id, created_at: usage.created_at }, counted: countedOf(usage) });

export class LowdbSpending implements SpendingStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #index = new SpendingIndex();
  /** What the start has read and no record has claimed yet. */
  #unclaimed: Map<string, Line>;
  #size: number;
  #lines: number;

  constructor(folder: Folder, now: () => number) {
    this.#folder = folder;
    this.#now = now;
    const has = folder.takeFound(".jsonl").includes(FILE);
    const { jobs, sums, size, lines } = has ? this.#read() : { jobs: new Map(), sums: [], size: 0, lines: 0 };
    this.#index.add(sums);
    this.#unclaimed = jobs;
    this.#size = size;
    this.#lines = lines;
  }

  /**
   * A record that was found at the start; `usage` null: of before, so that a line says what it has cost. False: none does,
   * and {@link keep} has to be told.
   */
  found(id: JobId, created_at: number, usage: UsageJob | null): boolean {
    const key = keyOf({ id, created_at });
    if (usage === null) return this.#unclaimed.has(key);
    this.#unclaimed.delete(key);
    this.#index.add(countedOf(usage));
    return true;
  }

  /** All records were found: what is left of the lines counts by itself. */
  opened(isStored: (id: string) => boolean): void {
    for (const { counted } of this.#unclaimed.values()) this.#index.add(counted);
    this.#unclaimed = new Map();
    this.#sumUp(isStored);
  }

  /** A record was written. */
  changed(before: UsageJob | null, after: UsageJob): void {
    if (before !== null && isSame(before, after)) return;
    if (before !== null) this.#index.add(countedOf(before), -1);
    this.#index.add(countedOf(after));
  }

  /** Lines of records that are about to go, or that were written before it stood in them; on the disk on return. */
  keep(jobs: readonly Leaving[]): void {
    if (jobs.length === 0) return;
    const bytes = Buffer.from(jobs.map(leavingLine).join(""));
    this.#folder.append(FILE, this.#size, bytes);
    if (this.#size === 0) this.#folder.flush();
    this.#size += bytes.length;
    this.#lines += jobs.length;
  }

  /** Their records are gone. */
  left(isStored: (id: string) => boolean): void {
    this.#sumUp(isStored);
  }

  /** Of records that were written before it stood in them; counted from now on. */
  derived(jobs: readonly Leaving[]): void {
    this.keep(jobs);
    for (const { usage } of jobs) this.#index.add(countedOf(usage));
  }

  async spentIn(of: { readonly repository_id: number } | { readonly account: string }, now: number): Promise<Spent> {
    return this.#index.spentIn(of, now);
  }

  async *usage(filter: UsageFilter): AsyncIterable<Counted> {
    let given = 0;
    for (const counted of this.#index.of(filter)) {
      given += 1;
      if (given % AT_ONCE === 0) await setImmediate();
      yield counted;
    }
  }

  #read(): Kept & { readonly size: number; readonly lines: number } {
    const { entries, size } = readJournal(this.#folder, FILE, lineOf);
    const jobs = new Map<string, Line>();
    const oldest = this.#oldest(entries);
    const sums = entries.flatMap((line) => {
      if (line.job !== null) jobs.set(keyOf(line.job), line);
      return line.job === null ? line.counted.filter(({ day }) => day >= oldest) : [];
    });
    return { jobs, sums, size, lines: entries.filter(({ job }) => job !== null).length };
  }

  /** From which day on figures are kept. A clock that is ahead loses none. */
  #oldest(lines: readonly Line[]): number {
    const newest = lines.reduce((last, { counted }) => Math.max(last, ...counted.map(({ day }) => day)), 0);
    return Math.min(newest, dayOf(this.#now())) - USAGE_KEPT_DAYS;
  }

  /** Many lines become few, in one atomic write. Those of jobs that are stored stay: which of the two counts is theirs. */
  #sumUp(isStored: (id: string) => boolean): void {
    if (this.#lines < MANY_LINES) return;
    const { jobs, sums } = this.#read();
    const stored = [...jobs.values()].filter(({ job }) => job !== null && isStored(job.id));
    // as many come back at the next start: then there is nothing to sum up
    if (stored.length > this.#lines / 2) return;
    const gone = new SpendingIndex();
    gone.add(sums);
    for (const { job, counted } of jobs.values()) if (job !== null && !isStored(job.id)) gone.add(counted);
    const all = [...gone.of({ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY })];
    const text = [...all.map((counted) => textOf({ job: null, counted: [counted] })), ...stored.map(textOf)].join("");
    this.#folder.replace(FILE, text);
    this.#size = Buffer.byteLength(text);
    this.#lines = stored.length;
  }
}
