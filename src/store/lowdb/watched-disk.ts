/**
 * Knows whether the disk takes what is written, from what becomes of every write: of all folders alike, so that no room
 * has to tell. Says nothing of what is written, and changes nothing about it.
 */
import { join } from "node:path";
import { type FileSystem, writeAll } from "./disk.ts";

/** Of one byte, for a moment; one that a crash leaves is swept at the next start. */
const PROBE = "probe.tmp";
/** While the disk fails, whoever asks has it tried, but not more often than this. */
const TRIED_EVERY_MS = 1_000;
export interface WatchedDisk {
  /** Write through this. */
  readonly fileSystem: FileSystem;
  /** False from a failed write to the next one that succeeds. */
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
  /** What is flushed has been written. */
  const flushing = (flush: () => void): void => {
    watching(flush);
    failed = false;
  };

  // what is not watched is the disk's own
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
        // it is still so
      }
      return !failed;
    },
  };
}
