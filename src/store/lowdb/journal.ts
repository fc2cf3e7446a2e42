/**
 * A file that lines are only added to, with group commit: who adds in the same turn of the event loop, or while the disk
 * flushes, shares the next write and the next flush. Not lowdb, which rewrites a whole file for every change: a
 * webhook's record would cost more with every one before it. Knows nothing of what the lines say. Where one file would
 * grow without end, several follow each other by number.
 */
import { type FileSystem, writeAll } from "./disk.ts";

/** A journal with more is followed by the next. */
export const MAX_JOURNAL_BYTES = 8 * 1024 * 1024;

export const JOURNAL_ENDING = ".jsonl";
export const journalName = (number: number): string => `journal-${String(number).padStart(8, "0")}${JOURNAL_ENDING}`;
export const journalNumber = (name: string): number => Number(/\d+/.exec(name)?.[0]);

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What comes in meanwhile comes along. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Journal {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #gather_ms: number;
  /** Lines that are not handed to the system yet. */
  #queue: Buffer[] = [];
  #size: number;
  /** Bytes that the system has. */
  #written: number;
  /** Bytes that the disk is known to hold. */
  #durable: number;
  /** Behind `#written` may stand what a failed write or flush has left; it is cut off before anything is added. */
  #torn = true;
  #waiting: Waiter[] = [];
  #working: Promise<void> | null = null;

  /**
   * Adds behind the first `size` bytes of the file; what follows them was never acknowledged. `gather_ms`: while several
   * wait at once, each flush is put off so long for more to share it, since a flush costs the processor more than a line.
   */
  constructor(fileSystem: FileSystem, path: string, size: number, gather_ms = 0) {
    this.path = path;
    this.#gather_ms = gather_ms;
    this.#fs = fileSystem;
    this.#fd = fileSystem.openSync(path, "a+", 0o600);
    this.#size = size;
    this.#written = size;
    this.#durable = size;
    // A killed process may have left lines that are not on the disk yet, though they count from here on.
    if (size > 0) fileSystem.fsyncSync(this.#fd);
  }

  /** With everything that was added. */
  get size(): number {
    return this.#size;
  }

  /** The line is handed to the system in this turn, and is gone with the process until then. */
  add(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    this.#queue.push(bytes);
    this.#size += bytes.length;
    this.#working ??= this.#work();
  }

  /** Hands over what was added: from here on it outlives this process, but not yet the machine. Throws when it cannot. */
  handOver(): void {
    const failure = this.#write();
    if (failure === null) return;
    this.#takeBack([], failure);
    throw failure;
  }

  /** A part of what was added, by its place in the file. */
  read(start: number, length: number): string {
    if (start + length > this.#written) this.handOver();
    const bytes = Buffer.alloc(length);
    const found = this.#fs.readSync(this.#fd, bytes, 0, length, start);
    if (found !== length) throw new Error(`${this.path} is shorter than it was.`);
    return bytes.toString("utf8");
  }

  /** Resolves when all lines added so far are on the disk; else they are gone. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** After everything that was added. */
  async close(): Promise<void> {
    await this.#working;
    this.#fs.closeSync(this.#fd);
  }

  async #work(): Promise<void> {
    await turn();
    while (this.#queue.length > 0 || this.#waiting.length > 0) {
      if (this.#gather_ms > 0 && this.#waiting.length > 1) await pause(this.#gather_ms);
      const batch = this.#waiting.splice(0);
      const failure = this.#write() ?? (batch.length === 0 ? null : await this.#flush());
      if (failure === null) for (const waiter of batch) waiter.resolve();
      else this.#takeBack(batch, failure);
    }
    this.#working = null;
  }

  /** Answers why it could not; what nobody waits for is dropped then. */
  #write(): Error | null {
    if (this.#queue.length === 0) return null;
    const bytes = Buffer.concat(this.#queue);
    this.#queue = [];
    try {
      if (this.#torn) this.#fs.truncateSync(this.path, this.#written);
      this.#torn = true;
      writeAll(this.#fs, this.#fd, bytes);
      this.#torn = false;
    } catch (cause) {
      return this.#failure(cause);
    }
    this.#written += bytes.length;
    return null;
  }

  /** After a failed flush the system may have forgotten what it could not write, so it is not asked to flush it again. */
  async #flush(): Promise<Error | null> {
    const written = this.#written;
    const cause = await new Promise<unknown>((done) => this.#fs.fdatasync(this.#fd, done));
    if (cause === null || cause === undefined) {
      this.#durable = written;
      return null;
    }
    this.#written = this.#durable;
    return this.#failure(cause);
  }

  /** What has come meanwhile stands behind what is gone. */
  #takeBack(batch: readonly Waiter[], failure: Error): void {
    this.#queue = [];
    this.#size = this.#written;
    this.#torn = true;
    for (const waiter of [...batch, ...this.#waiting.splice(0)]) waiter.reject(failure);
  }

  #failure(cause: unknown): Error {
    return new Error(`Cannot write ${this.path}.`, { cause });
  }
}
