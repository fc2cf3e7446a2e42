/**
 * Stores requests with an `Idempotency-Key` in journals: request and response each cost a line and a shared flush.
 * Memory holds the position of each request's last line; the content is read on demand. Journals are deleted oldest
 * first, once no line in them counts: deleting a newer one first would undo releases in it.
 */
import type { Begun, IdempotencyStore, IdempotentRequest, StoredResponse } from "../../engine/ports/idempotency.ts";
import { type Folder, unreadable } from "./disk.ts";
import { lineStart, readRecord, recordLine, releaseLine, type StoredRequest } from "./idempotency-lines.ts";
import { append, note, type Place, SegmentedLog } from "./segmented-log.ts";

export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;
/** About 40 MB of memory, and 70 MB to scan at the start. Beyond that, the oldest requests are dropped early. */
export const MAX_IDEMPOTENCY_RECORDS = 100_000;
/** Old records that one new request deletes, so that none has to delete a whole day's. */
const SWEPT_AT_ONCE = 8;
/** Negligible compared to any request that is worth repeating. */
const GATHER_MS = 3;

/** Number of requests whose last line is in a segment. */
interface Live {
  count: number;
}

/** Position of a request's last line. */
interface Known extends Place<Live> {
  readonly at: number;
}

export class JournalIdempotency implements IdempotencyStore {
  readonly #now: () => number;
  readonly #most: number;
  /** By scope, ordered by begin. */
  readonly #known = new Map<string, Known>();
  /** Requests in progress in this process; they can be finished without reading. */
  readonly #running = new Map<string, StoredRequest>();
  /** Writes in progress. */
  readonly #writing = new Map<string, Promise<void>>();
  readonly #log: SegmentedLog<Live>;

  constructor(folder: Folder, now: () => number, most = MAX_IDEMPOTENCY_RECORDS) {
    this.#now = now;
    this.#most = most;
    this.#log = new SegmentedLog<Live>(folder, {
      prefix: "requests-",
      gather_ms: GATHER_MS,
      max_age_ms: IDEMPOTENCY_KEPT_MS,
      index: () => ({ count: 0 }),
      read: (line, place) => this.#read(line, place),
    });
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
    await Promise.all([this.#log.close(), Promise.allSettled(this.#writing.values())]);
  }

  /** Null also for an expired record, whether deleted or not. */
  #record(scope: string): StoredRequest | null {
    const known = this.#known.get(scope);
    if (known === undefined || !this.#counts(scope)) return null;
    const { segment, start, length } = known;
    try {
      return readRecord(segment.journal.read(start, length));
    } catch (cause) {
      throw unreadable(`${segment.journal.path} (byte ${start})`, cause);
    }
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
    this.#log.roll(at);
    const segment = this.#log.last;
    note(segment, at);
    const { start, length } = append(segment, line);
    const before = this.#known.get(scope);
    this.#put(scope, { at, segment, start, length });
    const written: Promise<void> = segment.journal.flushed().then(
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

  #read(line: Buffer, { segment, start, length }: Place<Live>): void {
    const { scope, released, at } = lineStart(line);
    note(segment, at);
    if (released) this.#forget(scope);
    else this.#put(scope, { at, segment, start, length });
  }

  /** Replaces an earlier line, also in the order. */
  #put(scope: string, known: Known): void {
    const before = this.#known.get(scope);
    if (before !== undefined) before.segment.index.count--;
    known.segment.index.count++;
    this.#known.set(scope, known);
  }

  #forget(scope: string): void {
    const known = this.#known.get(scope);
    if (known === undefined) return;
    this.#known.delete(scope);
    known.segment.index.count--;
  }

  #sweep(most: number): void {
    let swept = 0;
    for (const [scope, { at }] of this.#known) {
      if (swept++ >= most || (this.#known.size <= this.#most && !this.#isOver(at))) break;
      this.#forget(scope);
    }
    for (const oldest of this.#log.full) {
      if (oldest.index.count > 0) break;
      try {
        this.#log.remove(oldest);
      } catch {
        // No line in it counts; the next start reads it, and removes it then.
      }
    }
  }
}
