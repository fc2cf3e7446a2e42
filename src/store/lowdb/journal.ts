/**
 * A file that lines are only added to, with group commit: whoever adds while the disk flushes shares the next flush.
 * Not lowdb, which rewrites a whole file for every change: a webhook's record would cost more with every one before it.
 * Knows nothing of what the lines say.
 */
import { type FileSystem, writeAll } from "./disk.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Journal {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #fd: number;
  #size: number;
  #waiting: Waiter[] = [];
  #flushing: Promise<void> | null = null;
  #failure: Error | null = null;

  /** Adds behind the first `size` bytes of the file; what follows them was never acknowledged and is cut off. */
  constructor(fileSystem: FileSystem, path: string, size: number) {
    this.path = path;
    this.#fs = fileSystem;
    this.#fd = fileSystem.openSync(path, "a", 0o600);
    this.#size = size;
    fileSystem.truncateSync(path, size);
  }

  get size(): number {
    return this.#size;
  }

  /** A write failed: what the file holds behind the last flush is not known, so it takes no more. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Hands a line to the system. It outlives a crash of this process, but not yet one of the machine. */
  add(line: string): void {
    if (this.#failure !== null) throw this.#failure;
    const bytes = Buffer.from(`${line}\n`);
    try {
      writeAll(this.#fs, this.#fd, bytes);
    } catch (cause) {
      throw this.#fail(cause);
    }
    this.#size += bytes.length;
  }

  /** Resolves when all lines added so far are on the disk. */
  flushed(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
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
      this.#waiting = [];
      const cause = await new Promise<unknown>((done) => this.#fs.fdatasync(this.#fd, done));
      const failure = cause === null || cause === undefined ? this.#failure : this.#fail(cause);
      for (const waiter of batch) {
        if (failure === null) waiter.resolve();
        else waiter.reject(failure);
      }
    }
    this.#flushing = null;
  }

  #fail(cause: unknown): Error {
    this.#failure ??= new Error(`Cannot write ${this.path}.`, { cause });
    return this.#failure;
  }
}
