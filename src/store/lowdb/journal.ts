/**
 * A file that lines are only added to, with group commit: whoever adds while the disk flushes shares the next flush.
 * Not lowdb, which rewrites a whole file for every change: a webhook's record would cost more with every one before it.
 * Knows nothing of what the lines say. Where one file would grow without end, several follow each other by number.
 */
import { type FileSystem, writeAll } from "./disk.ts";

/** A journal with more is followed by the next. */
export const MAX_JOURNAL_BYTES = 8 * 1024 * 1024;

const LINE_FEED = 10;

export const JOURNAL_ENDING = ".jsonl";
export const journalName = (number: number): string => `journal-${String(number).padStart(8, "0")}${JOURNAL_ENDING}`;
export const journalNumber = (name: string): number => Number(/\d+/.exec(name)?.[0]);

/** Lines up to this length share one buffer: a new one for each would wake the garbage collector again and again. */
const SCRATCH_BYTES = 64 * 1024;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Journal {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #size: number;
  /** Bytes that the disk is known to hold. */
  #durable: number;
  /** Behind `#size` may stand what a failed write or flush has left; it is cut off before anything is added. */
  #torn = true;
  #waiting: Waiter[] = [];
  #flushing: Promise<void> | null = null;

  /** Adds behind the first `size` bytes of the file; what follows them was never acknowledged. */
  constructor(fileSystem: FileSystem, path: string, size: number) {
    this.path = path;
    this.#fs = fileSystem;
    this.#fd = fileSystem.openSync(path, "a+", 0o600);
    this.#size = size;
    this.#durable = size;
    // A killed process may have left lines that are not on the disk yet, though they count from here on.
    if (size > 0) fileSystem.fsyncSync(this.#fd);
  }

  get size(): number {
    return this.#size;
  }

  /** Hands a line to the system. It outlives a crash of this process, but not yet one of the machine. */
  add(line: string): void {
    const length = Buffer.byteLength(line) + 1;
    const bytes = length <= SCRATCH_BYTES ? this.#scratch.subarray(0, length) : Buffer.alloc(length);
    bytes.write(line);
    bytes[length - 1] = LINE_FEED;
    try {
      if (this.#torn) this.#fs.truncateSync(this.path, this.#size);
      this.#torn = true;
      writeAll(this.#fs, this.#fd, bytes);
      this.#torn = false;
    } catch (cause) {
      throw this.#failure(cause);
    }
    this.#size += bytes.length;
  }

  /** A part of what was added, by its place in the file. */
  read(start: number, length: number): string {
    const bytes = Buffer.alloc(length);
    const found = this.#fs.readSync(this.#fd, bytes, 0, length, start);
    if (found !== length) throw new Error(`${this.path} is shorter than it was.`);
    return bytes.toString("utf8");
  }

  /** Resolves when all lines added so far are on the disk; else they are gone. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
  }

  /** After the flushes under way. */
  async close(): Promise<void> {
    await this.#flushing;
    this.#fs.closeSync(this.#fd);
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      const size = this.#size;
      this.#waiting = [];
      const cause = await new Promise<unknown>((done) => this.#fs.fdatasync(this.#fd, done));
      if (cause === null || cause === undefined) {
        this.#durable = size;
        for (const waiter of batch) waiter.resolve();
      } else {
        this.#takeBack(batch, this.#failure(cause));
      }
    }
    this.#flushing = null;
  }

  /** After a failed flush the system may have forgotten what it could not write, so it is not asked to flush it again. */
  #takeBack(batch: readonly Waiter[], failure: Error): void {
    this.#size = this.#durable;
    this.#torn = true;
    for (const waiter of [...batch, ...this.#waiting.splice(0)]) waiter.reject(failure);
  }

  #failure(cause: unknown): Error {
    return new Error(`Cannot write ${this.path}.`, { cause });
  }
}
