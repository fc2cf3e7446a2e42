/** Wraps the file system and tracks whether the disk accepts writes, from the result of every write in any folder. */
import { join } from "node:path";
import { type FileSystem, writeAll } from "./disk.ts";

/** One byte, for a moment; a leftover from a crash is deleted at the next start. */
const PROBE = "probe.tmp";
/** While the disk fails, queries probe it at most this often. */
const TRIED_EVERY_MS = 1_000;
export interface WatchedDisk {
  /** Use this file system for writes. */
  readonly fileSystem: FileSystem;
  /** False from a failed write until the next success. */
  writable(): boolean;
}

export function watchedDisk(disk: FileSystem, dir: string, now: () => number): WatchedDisk {
  let failed = false;
  let tried_at = Number.NEGATIVE_INFINITY;

  const watching = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  /** A successful flush proves a write. */
  const flushing = (flush: () => void): void => {
    watching(flush);
    failed = false;
  };

  // All other functions go to the disk directly.
  const fileSystem: FileSystem = Object.assign(Object.create(disk), {
    openSync: (path, flags, mode) =>
      flags === "r" ? disk.openSync(path, flags, mode) : watching(() => disk.openSync(path, flags, mode)),
    writeSync: ((...given: Parameters<FileSystem["writeSync"]>) =>
      watching(() => disk.writeSync(...given))) as FileSystem["writeSync"],
    renameSync: (from, to) => watching(() => disk.renameSync(from, to)),
    truncateSync: (path, length) => watching(() => disk.truncateSync(path, length)),
    fsyncSync: (fd) => flushing(() => disk.fsyncSync(fd)),
    fdatasync: ((fd: number, done: (error: NodeJS.ErrnoException | null) => void) =>
      disk.fdatasync(fd, (error) => {
        failed = error !== null && error !== undefined;
        done(error);
      })) as FileSystem["fdatasync"],
  } satisfies Partial<FileSystem>);

  const probe = (): void => {
    const path = join(dir, PROBE);
    const fd = fileSystem.openSync(path, "w", 0o600);
    try {
      writeAll(fileSystem, fd, Buffer.from("."));
      fileSystem.fsyncSync(fd);
    } finally {
      disk.closeSync(fd);
      disk.unlinkSync(path);
    }
  };

  return {
    fileSystem,
    writable() {
      if (!failed || now() - tried_at < TRIED_EVERY_MS) return !failed;
      tried_at = now();
      try {
        probe();
      } catch {
        // The disk still fails.
      }
      return !failed;
    },
  };
}
