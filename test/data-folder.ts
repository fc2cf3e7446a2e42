/**
 * Makes folders for an App's data. They are in memory where there is room, since each commit waits for its disk, and what
 * tests lose with a process is not in the disk's hands.
 */
import { mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 512 * 1024 * 1024;

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}

const ROOT = hasRoom(MEMORY) ? MEMORY : tmpdir();

/** A new, empty one, whose name begins like this. */
export const dataFolder = (prefix: string): string => mkdtempSync(join(ROOT, prefix));
