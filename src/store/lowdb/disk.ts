/**
 * Durable files: what a write answers is on the disk. lowdb's own adapters write and rename without any flush, so a
 * power cut can take back what they acknowledged. Calls are synchronous on purpose: through the thread pool the same
 * steps take several times as long, and a commit must be one indivisible step between two callers anyway.
 */
import type fs from "node:fs";
import { NewerFormat } from "./formats.ts";

/** The part of `node:fs` that the store writes through; tests count flushes and make them fail. */
export type FileSystem = Pick<
  typeof fs,
  | "closeSync"
  | "fdatasync"
  | "fstatSync"
  | "fsyncSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "readFileSync"
  | "readSync"
  | "renameSync"
  | "statSync"
  | "truncateSync"
  | "unlinkSync"
  | "writeSync"
>;

const TEMPORARY = ".tmp";

/** One folder of files, each replaced whole. One writer. */
export class Folder {
  readonly path: string;
  readonly fs: FileSystem;
  readonly #fd: number;
  #found: readonly string[];
  #broken: unknown = null;
  #closed = false;

  /** Makes the folder if need be; leftovers of writes that a crash cut short are removed. */
  constructor(fileSystem: FileSystem, path: string) {
    this.fs = fileSystem;
    this.path = path;
    fileSystem.mkdirSync(path, { recursive: true });
    this.#fd = fileSystem.openSync(path, "r");
    this.#found = fileSystem.readdirSync(path);
    for (const name of this.takeFound(TEMPORARY)) fileSystem.unlinkSync(this.pathOf(name));
    // What a killed process has renamed counts from here on, so it must not be taken back by a power cut.
    this.flush();
  }

  /** The names with this ending that were here at the opening, in no order; each is answered once. */
  takeFound(ending: string): string[] {
    const taken = this.#found.filter((name) => name.endsWith(ending));
    this.#found = taken.length === 0 ? this.#found : this.#found.filter((name) => !name.endsWith(ending));
    return taken;
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  read(name: string): string {
    return this.fs.readFileSync(this.pathOf(name), "utf8");
  }

  /** In bytes, without reading it. */
  sizeOf(name: string): number {
    return this.fs.statSync(this.pathOf(name)).size;
  }

  /** Two flushes: the new content before it gets the name, the name after it. Throws when the old content still counts. */
  replace(name: string, text: string): void {
    this.assertUsable();
    const temporary = this.pathOf(`${name}${TEMPORARY}`);
    try {
      this.#writeNew(temporary, text);
      this.fs.renameSync(temporary, this.pathOf(name));
    } catch (cause) {
      this.#forget(temporary);
      throw new Error(`Cannot write ${this.pathOf(name)}; the stored content has not changed.`, { cause });
    }
    this.flush();
  }

  remove(name: string): void {
    this.assertUsable();
    this.fs.unlinkSync(this.pathOf(name));
    this.flush();
  }

  /** Makes names durable: of files made, renamed and removed since. */
  flush(): void {
    this.assertUsable();
    try {
      this.fs.fsyncSync(this.#fd);
    } catch (cause) {
      this.#broken = cause;
      this.assertUsable();
    }
  }

  close(): void {
    this.#closed = true;
    this.fs.closeSync(this.#fd);
  }

  get usable(): boolean {
    return !this.#closed && this.#broken === null;
  }

  /** After a failed flush of the folder nobody knows which content a crash would leave, so nothing more is built on it. */
  assertUsable(): void {
    if (this.#closed) throw new Error(`The store in ${this.path} is closed.`);
    if (this.#broken === null) return;
    throw new Error(`The disk failed to keep changes in ${this.path}. Check the disk, then start again.`, {
      cause: this.#broken,
    });
  }

  #writeNew(path: string, text: string): void {
    const fd = this.fs.openSync(path, "w", 0o600);
    try {
      writeAll(this.fs, fd, Buffer.from(text));
      this.fs.fsyncSync(fd);
    } finally {
      this.fs.closeSync(fd);
    }
  }

  #forget(temporary: string): void {
    try {
      this.fs.unlinkSync(temporary);
    } catch {
      // it may not exist; if it does, the next start sweeps it
    }
  }
}

/** A write may take only part of what it is given, e.g. when the disk becomes full. */
export function writeAll(fileSystem: FileSystem, fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += fileSystem.writeSync(fd, bytes, done, bytes.length - done);
}

/** What a start says of a file that it cannot read: it stops rather than go on without what the file held. */
export const unreadable = (path: string, cause: unknown): Error =>
  cause instanceof NewerFormat
    ? new Error(
        `${path} was written by a newer version of Journeyman. Start that version or a later one, or restore a backup from before it.`,
        { cause },
      )
    : new Error(`${path} is damaged. Restore it from a backup, or move it away to go on without it.`, { cause });
