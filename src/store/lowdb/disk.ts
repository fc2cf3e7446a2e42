/**
 * Durable file operations: a completed write is on the disk. lowdb's own adapters do not flush, so a power cut can undo
 * writes that they acknowledged. Calls are synchronous: the thread pool takes several times as long, and a commit must
 * be indivisible anyway.
 */
import type fs from "node:fs";
import { NewerFormat } from "./formats.ts";

/** The part of `node:fs` that the store uses; tests count flushes and make them fail. */
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

/** A folder of files that are replaced as a whole. Single writer. */
export class Folder {
  readonly path: string;
  readonly fs: FileSystem;
  readonly #fd: number;
  #found: readonly string[];
  #broken: unknown = null;
  #closed = false;

  /** Creates the folder if missing; removes leftovers of writes that a crash interrupted. */
  constructor(fileSystem: FileSystem, path: string) {
    this.fs = fileSystem;
    this.path = path;
    fileSystem.mkdirSync(path, { recursive: true });
    this.#fd = fileSystem.openSync(path, "r");
    this.#found = fileSystem.readdirSync(path);
    for (const name of this.takeFound(TEMPORARY)) fileSystem.unlinkSync(this.pathOf(name));
    // Makes renames of a killed process durable, since the loaded data relies on them.
    this.flush();
  }

  /** Names with this extension that existed at opening, unordered; each is returned once. */
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

  /** Size in bytes, without reading. */
  sizeOf(name: string): number {
    return this.fs.statSync(this.pathOf(name)).size;
  }

  /** Two flushes: the content before the rename, the folder after it. Throws when the old content is still in place. */
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

  /** Makes created, renamed and removed names durable. */
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

  /** After a failed flush it is unknown which content a crash would leave, so the folder refuses further use. */
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
      // It may not exist; otherwise the next start removes it.
    }
  }

  /** Adds bytes that are on the disk on return. Behind `size` may stand what an earlier write that failed has left. */
  append(name: string, size: number, bytes: Buffer): void {
    this.#add(name, size, bytes, true);
  }

  /** The same without a flush: the bytes survive this process, but not yet a power cut. */
  handOver(name: string, size: number, bytes: Buffer): void {
    this.#add(name, size, bytes, false);
  }

  #add(name: string, size: number, bytes: Buffer, durable: boolean): void {
    this.assertUsable();
    const path = this.pathOf(name);
    const fd = this.fs.openSync(path, "a", 0o600);
    try {
      this.fs.truncateSync(path, size);
      writeAll(this.fs, fd, bytes);
      if (durable) this.fs.fsyncSync(fd);
    } catch (cause) {
      throw new Error(`Cannot write ${path}; the stored content has not changed.`, { cause });
    } finally {
      this.fs.closeSync(fd);
    }
  }
}

/** Continues after partial writes, which happen for example when the disk becomes full. */
export function writeAll(fileSystem: FileSystem, fd: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += fileSystem.writeSync(fd, bytes, done, bytes.length - done);
}

/** The error for an unreadable file. The start stops, rather than continue without its data. */
export const unreadable = (path: string, cause: unknown): Error =>
  cause instanceof NewerFormat
    ? new Error(
        `${path} was written by a newer version of Journeyman. Start that version or a later one, or restore a backup from before it.`,
        { cause },
      )
    : new Error(`${path} is damaged. Restore it from a backup, or move it away to go on without it.`, { cause });
