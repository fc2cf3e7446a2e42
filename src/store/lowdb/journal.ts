/**
 * An append-only file with group commit: lines added in the same turn of the event loop, or during a flush, share the
 * next write and flush. Not lowdb, which rewrites the whole file for each change. Long logs use several: see
 * segmented-log.ts.
 */
import { type FileSystem, writeAll } from "./disk.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Collects lines that arrive in the same turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Journal {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #gather_ms: number;
  /** Lines that are not written yet. */
  #queue: string[] = [];
  #size: number;
  /** Bytes written to the operating system. */
  #written: number;
  /** Bytes known to be on the disk. */
  #durable: number;
  /** A failed write or flush may have left data after `#written`; it is cut off before the next append. */
  #torn = true;
  #waiting: Waiter[] = [];
  #working: Promise<void> | null = null;

  /**
   * Appends after the file's first `size` bytes; anything beyond was never acknowledged. `gather_ms`: delays a flush
   * while several callers wait, so that more lines share it, since a flush costs more CPU than a line.
   */
  constructor(fileSystem: FileSystem, path: string, size: number, gather_ms = 0) {
    this.path = path;
    this.#gather_ms = gather_ms;
    this.#fs = fileSystem;
    this.#fd = fileSystem.openSync(path, "a+", 0o600);
    this.#size = size;
    this.#written = size;
    this.#durable = size;
    // A killed process may have left lines that are not flushed yet, although they count from here on.
    if (size > 0) fileSystem.fsyncSync(this.#fd);
  }

  /** Includes everything that was added. */
  get size(): number {
    return this.#size;
  }

  /** The line is written in this turn of the event loop; until then it is lost if the process dies. */
  add(line: string): void {
    this.#queue.push(line, "\n");
    this.#size += Buffer.byteLength(line) + 1;
    this.#working ??= this.#work();
  }

  /** Writes what was added: it then survives this process, but not yet a power cut. Throws on failure. */
  handOver(): void {
    const failure = this.#write();
    if (failure === null) return;
    this.#takeBack([], failure);
    throw failure;
  }

  /** Reads added data by position. */
  read(start: number, length: number): string {
    if (start + length > this.#written) this.handOver();
    const bytes = Buffer.alloc(length);
    const found = this.#fs.readSync(this.#fd, bytes, 0, length, start);
    if (found !== length) throw new Error(`${this.path} is shorter than it was.`);
    return bytes.toString("utf8");
  }

  /** Resolves when all lines added so far are on the disk; otherwise they are removed. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Completes everything that was added first. */
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

  /** Returns the error, if any; lines that nobody waits for are dropped then. */
  #write(): Error | null {
    if (this.#queue.length === 0) return null;
    const bytes = Buffer.from(this.#queue.join(""));
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

  /** After a failed flush the system may have dropped the data, so flushing again would prove nothing. */
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

  /** Lines that arrived meanwhile follow the removed ones. */
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
