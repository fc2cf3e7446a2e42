/**
 * An append-only log in numbered journals, the segments. The last one is appended to; when it is full or old, the next
 * one begins. The oldest are removed, once what counts in them is too old or stands in the last one. A store says what
 * its lines mean and when a segment is over; what it indexes refers to segments and places.
 */
import type { Folder } from "./disk.ts";
import { Journal } from "./journal.ts";
import { eachLine, readWhole } from "./journal-lines.ts";

const ENDING = ".jsonl";

/** A larger segment is followed by a new one. */
const MAX_SEGMENT_BYTES = 8 * 1024 * 1024;

/** `T`: what the store keeps of a segment. */
export interface Segment<T> {
  readonly number: number;
  readonly name: string;
  readonly journal: Journal;
  readonly index: T;
  /** Time of its first line; null: it has none that is known. */
  first_at: number | null;
  newest_at: number;
  /** Bytes carried over from earlier segments. */
  carried_over: number;
}

/** Where a line stands, without its line feed, in bytes. */
export interface Place<T> {
  readonly segment: Segment<T>;
  readonly start: number;
  readonly length: number;
}

export interface LogFormat<T> {
  /** Its files' names begin so; a number follows. */
  readonly prefix?: string;
  /** Delays a flush; see {@link Journal}. */
  readonly gather_ms?: number;
  /** A segment whose first line is as old is followed by a new one. */
  readonly max_age_ms?: number;
  index(): T;
  /** A line that was there at the start. Throws when it is damaged. */
  read(line: Buffer, place: Place<T>): void;
}

/** How old segments leave in the background. After a failure the segment stays, and is retried with the next one. */
export interface Retirement<T> {
  /** Whether the oldest may go. */
  isOver(oldest: Segment<T>): boolean;
  /** Resolves when every write to it has succeeded or failed. */
  settled(oldest: Segment<T>): Promise<void>;
  /** Adds what still counts to the other. The result is called once that is on the disk: false: something counts again. */
  carryOver(oldest: Segment<T>, to: Segment<T>): () => boolean;
}

/** Lines of which the time is known count for the age of their segment. */
export function note<T>(segment: Segment<T>, at: number): void {
  segment.first_at ??= at;
  segment.newest_at = Math.max(segment.newest_at, at);
}

export function append<T>(segment: Segment<T>, line: string): Place<T> {
  const start = segment.journal.size;
  segment.journal.add(line);
  return { segment, start, length: segment.journal.size - start - 1 };
}

export class SegmentedLog<T> {
  readonly #folder: Folder;
  readonly #format: LogFormat<T>;
  readonly #retirement: Retirement<T> | null;
  /** Oldest first. */
  #full: readonly Segment<T>[];
  #last: Segment<T>;
  #retiring: Promise<void> | null = null;
  #closed = false;

  /** Reads all segments. */
  constructor(folder: Folder, format: LogFormat<T>, retirement: Retirement<T> | null = null) {
    this.#folder = folder;
    this.#format = format;
    this.#retirement = retirement;
    const names = folder.takeFound(ENDING).sort();
    const found = names.map((name) => this.#read(name));
    this.#last = found.pop() ?? this.#begin(1);
    this.#full = found;
  }

  /** Those that are no longer appended to, oldest first. */
  get full(): readonly Segment<T>[] {
    return this.#full;
  }

  get last(): Segment<T> {
    return this.#last;
  }

  get size(): number {
    return this.#full.reduce((sum, { journal }) => sum + journal.size, this.#last.journal.size);
  }

  /** Begins the next segment when the last one is full or, at this time, old. Returns whether it has. */
  roll(at?: number): boolean {
    if (this.#closed) throw new Error(`The store in ${this.#folder.path} is closed.`);
    const { journal, number, carried_over, first_at } = this.#last;
    const { max_age_ms } = this.#format;
    // Half of a segment may be carried over; such lines are not moved again right away.
    const isFull = journal.size >= Math.max(MAX_SEGMENT_BYTES, 2 * carried_over);
    const isOld = at !== undefined && max_age_ms !== undefined && first_at !== null && first_at <= at - max_age_ms;
    if (!isFull && !isOld) return false;
    const next = this.#begin(number + 1);
    this.#full = [...this.#full, this.#last];
    this.#last = next;
    this.retire();
    return true;
  }

  /** Appends to the last segment, or to a new one when that is full. */
  add(line: string): Place<T> {
    this.roll();
    return append(this.#last, line);
  }

  /** Removes old segments in the background, oldest first. */
  retire(): void {
    const retirement = this.#retirement;
    if (retirement === null) return;
    this.#retiring ??= this.#retireAll(retirement)
      .catch(() => undefined)
      .finally(() => {
        this.#retiring = null;
      });
  }

  async retired(): Promise<void> {
    await this.#retiring;
  }

  /** No line in it counts. */
  remove(segment: Segment<T>): void {
    this.#full = this.#full.filter((one) => one !== segment);
    segment.journal.close().catch(() => undefined);
    this.#folder.remove(segment.name);
  }

  /** Completes what was added; adding more throws. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#retiring;
    for (const { journal } of [...this.#full, this.#last]) await journal.close();
  }

  async #retireAll({ isOver, settled, carryOver }: Retirement<T>): Promise<void> {
    for (let [oldest] = this.#full; oldest !== undefined && isOver(oldest); [oldest] = this.#full) {
      await settled(oldest);
      const to = this.#last;
      const size = to.journal.size;
      const carried = carryOver(oldest, to);
      to.carried_over += to.journal.size - size;
      await to.journal.flushed();
      if (carried()) this.remove(oldest);
    }
  }

  #begin(number: number): Segment<T> {
    this.#folder.assertUsable();
    const { prefix = "journal-" } = this.#format;
    const segment = this.#open(`${prefix}${String(number).padStart(8, "0")}${ENDING}`, 0);
    this.#folder.flush();
    return segment;
  }

  #read(name: string): Segment<T> {
    const { bytes, size } = readWhole(this.#folder, name);
    const segment = this.#open(name, size);
    eachLine(bytes, this.#folder.pathOf(name), (line, start) =>
      this.#format.read(line, { segment, start, length: line.length }),
    );
    return segment;
  }

  #open(name: string, size: number): Segment<T> {
    return {
      number: Number(/\d+/.exec(name)?.[0]),
      name,
      journal: new Journal(this.#folder.fs, this.#folder.pathOf(name), size, this.#format.gather_ms),
      index: this.#format.index(),
      first_at: null,
      newest_at: Number.NEGATIVE_INFINITY,
      carried_over: 0,
    };
  }
}
