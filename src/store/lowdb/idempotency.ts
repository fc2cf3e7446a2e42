/**
 * Stores requests with an `Idempotency-Key` in journals: request and response each cost a line and a shared flush.
 * Memory holds the position of each request's last line; the content is read on demand. Journals are deleted oldest
 * first, once no line in them counts: deleting a newer one first would undo releases in it.
 */
import type { Begun, IdempotencyStore, IdempotentRequest, StoredResponse } from "../../engine/ports/idempotency.ts";
import { type Folder, unreadable } from "./disk.ts";
import {
  linesOf,
  type Position,
  readRecord,
  recordLine,
  releaseLine,
  type StoredRequest,
} from "./idempotency-lines.ts";
import { Journal } from "./journal.ts";

export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;
/** About 40 MB of memory, and 70 MB to scan at the start. Beyond that, the oldest requests are dropped early. */
export const MAX_IDEMPOTENCY_RECORDS = 100_000;
/** Old records that one new request deletes, so that none has to delete a whole day's. */
const SWEPT_AT_ONCE = 8;
/** A larger journal, or one older than a record's lifetime, is followed by a new one. */
const MAX_JOURNAL_BYTES = 8 * 1024 * 1024;
/** Negligible compared to any request that is worth repeating. */
const GATHER_MS = 3;

interface Segment {
  readonly name: string;
  readonly number: number;
  readonly journal: Journal;
  /** Number of requests whose last line is in this journal. */
  live: number;
  /** When its first request began; null when it has none. */
  begun_at: number | null;
}

/** Position of a request's last line. */
interface Known extends Position {
  readonly at: number;
  readonly segment: Segment;
}

const nameOf = (number: number): string => `requests-${String(number).padStart(8, "0")}.jsonl`;
const numberOf = (name: string): number => Number(/\d+/.exec(name)?.[0]);

export class JournalIdempotency implements IdempotencyStore {
  readonly #folder: Folder;
  readonly #now: () => number;
  readonly #most: number;
  /** By scope, ordered by begin. */
  readonly #known = new Map<string, Known>();
  /** Requests in progress in this process; they can be finished without reading. */
  readonly #running = new Map<string, StoredRequest>();
  /** Writes in progress. */
  readonly #writing = new Map<string, Promise<void>>();
  /** Oldest first. */
  readonly #old: Segment[];
  #current: Segment;
  #closed = false;

  constructor(folder: Folder, now: () => number, most = MAX_IDEMPOTENCY_RECORDS) {
    this.#folder = folder;
    this.#now = now;
    this.#most = most;
    const names = folder.takeFound(".jsonl").sort();
    this.#old = names.map((name) => this.#read(name));
    this.#current = this.#old.pop() ?? this.#open(1);
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  async begin({ scope, fingerprint, work_id, at }: IdempotentRequest): Promise<Begun> {
    // Waits for a pending write, since unwritten data must not be reported. Otherwise there is no await, so that of two
    // simultaneous requests one is first.
    for (let writing = this.#writing.get(scope); writing !== undefined; writing = this.#writing.get(scope)) {
      await writing.catch(() => undefined);
    }
    const before = this.#record(scope);
    if (before !== null) {
      if (before.fingerprint !== fingerprint) return { kind: "other_body" };
      return before.answer === null
        ? { kind: "running", work_id: before.work_id }
        : { kind: "same", answer: before.answer };
    }
    const record = { scope, at, fingerprint, work_id, answer: null };
    this.#forget(scope);
    const written = this.#write(scope, at, recordLine(record));
    this.#sweep(SWEPT_AT_ONCE);
    await written;
    this.#running.set(scope, record);
    return { kind: "new" };
  }

  async finish(scope: string, answer: StoredResponse): Promise<void> {
    const before = this.#running.get(scope) ?? this.#record(scope);
    this.#running.delete(scope);
    // It may have expired while in progress; then there is nothing left to answer from.
    if (before === null || !this.#counts(scope)) return;
    await this.#write(scope, before.at, recordLine({ ...before, answer }));
  }

  async release(scope: string): Promise<void> {
    this.#running.delete(scope);
    const known = this.#known.get(scope);
    if (known === undefined) return;
    await this.#write(scope, known.at, releaseLine(scope, known.at));
    this.#forget(scope);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#writing.values());
    for (const { journal } of [...this.#old, this.#current]) await journal.close();
  }

  /** Null also for an expired record, whether deleted or not. */
  #record(scope: string): StoredRequest | null {
    const known = this.#known.get(scope);
    if (known === undefined || !this.#counts(scope)) return null;
    const { segment, offset, length } = known;
    const path = this.#folder.pathOf(segment.name);
    try {
      return readRecord(this.#bytesAt(path, offset, length).toString("utf8"));
    } catch (cause) {
      throw unreadable(`${path} (byte ${offset})`, cause);
    }
  }

  #bytesAt(path: string, offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const fd = this.#folder.fs.openSync(path, "r");
    try {
      this.#folder.fs.readSync(fd, bytes, 0, length, offset);
    } finally {
      this.#folder.fs.closeSync(fd);
    }
    return bytes;
  }

  #counts(scope: string): boolean {
    const known = this.#known.get(scope);
    return known !== undefined && !this.#isOver(known.at);
  }

  #isOver(at: number): boolean {
    return at <= this.#now() - IDEMPOTENCY_KEPT_MS;
  }

  /** The line counts at once and resolves when it is on the disk; a failed write undoes it. */
  #write(scope: string, at: number, line: string): Promise<void> {
    if (this.#closed) throw new Error("The store of requests is closed.");
    const segment = this.#segmentAt(at);
    const { journal } = segment;
    const offset = journal.size;
    journal.add(line);
    const before = this.#known.get(scope);
    const known: Known = { at, segment, offset, length: journal.size - offset - 1 };
    this.#put(scope, known);
    const written: Promise<void> = journal.flushed().then(
      () => this.#settle(scope, written),
      (error: unknown) => {
        this.#settle(scope, written);
        if (before === undefined) this.#forget(scope);
        else this.#put(scope, before);
        throw error;
      },
    );
    this.#writing.set(scope, written);
    return written;
  }

  #settle(scope: string, written: Promise<void>): void {
    if (this.#writing.get(scope) === written) this.#writing.delete(scope);
  }

  /** The current journal, or a new one when that is full or old. */
  #segmentAt(at: number): Segment {
    const { journal, number, begun_at } = this.#current;
    const isOld = begun_at !== null && begun_at <= at - IDEMPOTENCY_KEPT_MS;
    if (isOld || journal.size >= MAX_JOURNAL_BYTES) {
      const next = this.#open(number + 1);
      this.#old.push(this.#current);
      this.#current = next;
    }
    this.#current.begun_at ??= at;
    return this.#current;
  }

  #open(number: number): Segment {
    this.#folder.assertUsable();
    const name = nameOf(number);
    const journal = new Journal(this.#folder.fs, this.#folder.pathOf(name), 0, GATHER_MS);
    this.#folder.flush();
    return { name, number, journal, live: 0, begun_at: null };
  }

  #read(name: string): Segment {
    const path = this.#folder.pathOf(name);
    const bytes = this.#folder.fs.readFileSync(path);
    const size = bytes.lastIndexOf("\n") + 1;
    const journal = new Journal(this.#folder.fs, path, size, GATHER_MS);
    const segment: Segment = { name, number: numberOf(name), journal, live: 0, begun_at: null };
    for (const { scope, released, at, offset, length } of linesOf(bytes, path)) {
      segment.begun_at ??= at;
      if (released) this.#forget(scope);
      else this.#put(scope, { at, segment, offset, length });
    }
    return segment;
  }

  /** Replaces an earlier line, also in the order. */
  #put(scope: string, known: Known): void {
    const before = this.#known.get(scope);
    if (before !== undefined) before.segment.live--;
    known.segment.live++;
    this.#known.set(scope, known);
  }

  #forget(scope: string): void {
    const known = this.#known.get(scope);
    if (known === undefined) return;
    this.#known.delete(scope);
    known.segment.live--;
  }

  #sweep(most: number): void {
    let swept = 0;
    for (const [scope, { at }] of this.#known) {
      if (swept++ >= most || (this.#known.size <= this.#most && !this.#isOver(at))) break;
      this.#forget(scope);
    }
    for (let oldest = this.#old[0]; oldest !== undefined && oldest.live === 0; oldest = this.#old[0]) {
      this.#old.shift();
      this.#drop(oldest);
    }
  }

  /** A file that cannot be removed now is read and deleted at the next start. */
  #drop({ name, journal }: Segment): void {
    journal.close().catch(() => undefined);
    try {
      this.#folder.remove(name);
    } catch {
      // No line in it counts.
    }
  }
}
