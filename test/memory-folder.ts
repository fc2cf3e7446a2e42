/**
 * A folder in memory for the tests' temporary files, since the disk causes half of the system time. Null if there is no
 * such file system, too little room in it, or no program may be started from it.
 */
import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** Several times what the tests hold at once. */
const ROOM_BYTES = 4 * 1024 ** 3;

function hasRoom(): boolean {
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ROOM_BYTES && freemem() >= ROOM_BYTES;
}

const runsPrograms = (): boolean =>
  readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === MEMORY && !line.split(" ")[3]?.split(",").includes("noexec"));

/** It is gone when this process ends. */
export function memoryFolder(): string | null {
  try {
    if (!hasRoom() || !runsPrograms()) return null;
    const folder = mkdtempSync(join(MEMORY, "journeyman-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  } catch {
    // another system than Linux
    return null;
  }
}
