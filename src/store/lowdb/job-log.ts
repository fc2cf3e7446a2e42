/**
 * The logs of jobs, a file of JSON lines each beside the records: lines are appended without a flush, and a commit touches
 * none of it. What is read stays in memory for a while, since running jobs are looked at often.
 */
import { LRUCache } from "lru-cache";
import type { LogLine } from "../../contracts/log-line.ts";
import { asJobId, type JobId } from "../../domain/job/job.ts";
import { bounded, charactersOf, isOverlong, newerThan } from "../../domain/job/stored-log.ts";
import type { Appended, JobLog, NewestLog } from "../../engine/ports/job-log.ts";
import type { InProcessSignals } from "../in-process-signals.ts";
import type { Folder } from "./disk.ts";
import { jobFileName, jobFormat } from "./job-file.ts";
import { type LogPlace, linesAt, linesOf, placeFileName } from "./log-place.ts";

const ENDING = ".jsonl";
const NAME = /^([a-z0-9]{8})\.(\d{1,9})\.jsonl$/;

/** Characters of all logs that are kept in memory. */
const MAX_CACHED_CHARACTERS = 32 * 1024 * 1024;
/** Estimated overhead of a line, in characters. */
const LINE_CHARACTERS = 100;

/** What holds the log of a record of before: the record itself, or this file. */
interface LogBefore {
  readonly file: string | null;
  readonly adopted: boolean;
}

interface OpenLog {
  readonly nth: number;
  readonly lines: LogLine[];
  characters: number;
  /** Of whole lines; a crash may have left the beginning of another one behind them. */
  bytes: number;
}

const fileName = (id: string, nth: number): string => `${id}.${nth}${ENDING}`;
const rowsOf = (lines: readonly LogLine[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

export class FileJobLog implements JobLog {
  readonly #folder: Folder;
  readonly #signals: InProcessSignals;
  /** The number of each job's newest log. */
  readonly #nth = new Map<string, number>();
  readonly #open = new LRUCache<string, OpenLog>({ maxSize: MAX_CACHED_CHARACTERS });
  /** Jobs whose record is of before and holds or names a log. */
  readonly #before = new Map<string, LogBefore>();
  readonly #otherFiles = new Set<string>();

  constructor(folder: Folder, signals: InProcessSignals) {
    this.#folder = folder;
    this.#signals = signals;
    for (const name of folder.takeFound(ENDING)) {
      const [, id, nth] = NAME.exec(name) ?? [];
      if (id === undefined) this.#otherFiles.add(name);
      else this.#found(id, Number(nth));
    }
  }

  /** Of two, a crash has left the older one, unless the newer one has no line yet. */
  #found(id: string, nth: number): void {
    const other = this.#nth.get(id);
    if (other === undefined) {
      this.#nth.set(id, nth);
      return;
    }
    const [older, newer] = [Math.min(nth, other), Math.max(nth, other)];
    const kept = this.#wholeRowsOf(fileName(id, newer)).length > 0 ? newer : older;
    this.#remove(fileName(id, kept === newer ? older : newer));
    this.#nth.set(id, kept);
  }

  /** At the start: this record of before names its log's place; null: it holds its log itself. */
  foundBefore(id: JobId, place: LogPlace | null): void {
    const file = place === null ? null : placeFileName(id, place);
    if (file === null || this.#otherFiles.delete(file)) this.#before.set(id, { file, adopted: false });
  }

  /** At the start: removes what belongs to no job. */
  sweep(isKnown: (id: JobId) => boolean): void {
    for (const name of this.#otherFiles) this.#remove(name);
    this.#otherFiles.clear();
    for (const [id, nth] of this.#nth) {
      const job = asJobId(id);
      if (job !== null && isKnown(job)) continue;
      this.#remove(fileName(id, nth));
      this.#nth.delete(id);
    }
  }

  /** Whether the record holds or names a log, as records of before do. */
  isBefore(id: JobId): boolean {
    return this.#before.has(id);
  }

  has(id: JobId): boolean {
    return this.#nth.has(id) || this.#before.has(id);
  }

  async append(id: JobId, nth: number, lines: readonly LogLine[]): Promise<Appended> {
    const newest = this.#logOf(id);
    if (newest !== null && newest.nth > nth) return { last: 0, added: false };
    const known = newest?.nth === nth ? newest : null;
    const last = known?.lines.at(-1)?.seq ?? 0;
    const fresh = newerThan(lines, last);
    const [first] = fresh;
    if (first === undefined || (last === 0 && first.seq !== 1)) return { last, added: false };
    this.#write(id, known ?? { nth, lines: [], characters: 0, bytes: 0 }, fresh);
    this.#signals.publish(id);
    return { last: fresh.at(-1)?.seq ?? last, added: true };
  }

  async keep(id: JobId, nth: number, lines: readonly LogLine[]): Promise<void> {
    if ((this.#logOf(id)?.nth ?? 0) > nth) return;
    this.#replace(id, nth, [...lines]);
    this.#signals.publish(id);
  }

  async read(id: JobId, after?: { readonly nth: number; readonly line: number }): Promise<NewestLog | null> {
    const log = this.#logOf(id);
    if (log === null) return null;
    const { nth, lines } = log;
    const from = after?.nth === nth ? lines.findLastIndex(({ seq }) => seq <= after.line) + 1 : 0;
    return { nth, lines: lines.slice(from) };
  }

  /** Gives the log of a record of before its own file, durably, so that the record may be written without it. */
  adopt(id: JobId): void {
    const before = this.#before.get(id);
    if (before === undefined || before.adopted) return;
    const log = jobFormat.parse(this.#folder.read(jobFileName(id))).log_before;
    const lines = log?.place ? linesAt(this.#folder, id, log.place) : (log?.lines ?? []);
    if (log && lines.length > 0 && log.nth > (this.#nth.get(id) ?? 0)) this.#replace(id, log.nth, [...lines]);
    this.#before.set(id, { ...before, adopted: true });
  }

  /** The record no longer holds or names a log. */
  leftBefore(id: JobId): void {
    const before = this.#before.get(id);
    if (before === undefined) return;
    this.#before.delete(id);
    if (before.file !== null) this.#remove(before.file);
  }

  remove(id: JobId): void {
    this.leftBefore(id);
    const nth = this.#nth.get(id);
    if (nth !== undefined) this.#remove(fileName(id, nth));
    this.#nth.delete(id);
    this.#open.delete(id);
  }

  #logOf(id: JobId): OpenLog | null {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    this.adopt(id);
    const nth = this.#nth.get(id);
    return nth === undefined ? null : this.#remember(id, this.#readFile(id, nth));
  }

  #readFile(id: JobId, nth: number): OpenLog {
    const rows = this.#wholeRowsOf(fileName(id, nth));
    const lines = linesOf(rows.toString("utf8"));
    return { nth, lines, characters: charactersOf(lines), bytes: rows.length };
  }

  #wholeRowsOf(name: string): Buffer {
    try {
      const bytes = this.#folder.fs.readFileSync(this.#folder.pathOf(name));
      return bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
    } catch {
      return Buffer.alloc(0);
    }
  }

  #write(id: JobId, log: OpenLog, fresh: readonly LogLine[]): void {
    const bytes = Buffer.from(rowsOf(fresh));
    try {
      this.#folder.handOver(fileName(id, log.nth), log.bytes, bytes);
    } catch (error) {
      // whatever stands there now is read again
      this.#open.delete(id);
      if (this.#nth.get(id) !== log.nth) this.#remove(fileName(id, log.nth));
      throw error;
    }
    log.lines.push(...fresh);
    log.characters += charactersOf(fresh);
    log.bytes += bytes.length;
    this.#isNewest(id, log.nth);
    if (isOverlong(log.lines.length, log.characters)) this.#replace(id, log.nth, bounded(log.lines));
    else this.#remember(id, log);
  }

  #replace(id: JobId, nth: number, lines: LogLine[]): void {
    const rows = rowsOf(lines);
    this.#folder.replace(fileName(id, nth), rows);
    this.#isNewest(id, nth);
    this.#remember(id, { nth, lines, characters: charactersOf(lines), bytes: Buffer.byteLength(rows) });
  }

  #isNewest(id: JobId, nth: number): void {
    const before = this.#nth.get(id);
    this.#nth.set(id, nth);
    if (before !== undefined && before !== nth) this.#remove(fileName(id, before));
  }

  #remember(id: JobId, log: OpenLog): OpenLog {
    this.#open.set(id, log, { size: log.characters + log.lines.length * LINE_CHARACTERS + 1 });
    return log;
  }

  /** Without a flush, and never in the way of anything: what is left is swept at the next start. */
  #remove(name: string): void {
    try {
      this.#folder.fs.unlinkSync(this.#folder.pathOf(name));
    } catch {
      // it may be gone
    }
  }
}
