/** Opens the store in a folder: `jobs/`, `repositories/`, `inbox/`, `idempotency/`, `keys.json` and the lock that keeps others off. */
import fs from "node:fs";
import { join, resolve } from "node:path";
import type { Store } from "../../engine/ports.ts";
import { type FileSystem, Folder } from "./disk.ts";
import { JournalIdempotency } from "./idempotency.ts";
import { JournalInbox } from "./inbox.ts";
import { LowdbJobs } from "./jobs.ts";
import { LowdbKeys } from "./keys.ts";
import { lockFolder } from "./lock.ts";
import { LowdbRepositories } from "./repositories.ts";
import { watchedDisk } from "./watched-disk.ts";

export interface LowdbOptions {
  readonly dir: string;
  readonly now: () => number;
  /** What the store writes through; `node:fs` unless given. */
  readonly fileSystem?: FileSystem;
}

function openRooms(dir: string, { now, fileSystem: given = fs }: LowdbOptions) {
  const disk = watchedDisk(given, dir, now);
  const { fileSystem } = disk;
  const root = new Folder(fileSystem, dir);
  const jobs = new Folder(fileSystem, join(dir, "jobs"));
  const repositories = new Folder(fileSystem, join(dir, "repositories"));
  const inbox = new Folder(fileSystem, join(dir, "inbox"));
  const idempotency = new Folder(fileSystem, join(dir, "idempotency"));
  root.flush();
  return {
    disk,
    folders: [root, jobs, repositories, inbox, idempotency],
    jobs: new LowdbJobs(jobs, now),
    keys: new LowdbKeys(root),
    repositories: new LowdbRepositories(repositories),
    inbox: new JournalInbox(inbox, now),
    idempotency: new JournalIdempotency(idempotency, now),
  };
}

/**
 * Rejects with a sentence when the folder is in use by another process or a file in it is damaged. What is on the disk
 * is read before it resolves.
 */
export async function openLowdbStore(options: LowdbOptions): Promise<Store> {
  const dir = resolve(options.dir);
  (options.fileSystem ?? fs).mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(dir);
  try {
    const { disk, folders, jobs, keys, repositories, inbox, idempotency } = openRooms(dir, options);
    const close = async () => {
      try {
        keys.flush();
        await inbox.close();
        await idempotency.close();
      } finally {
        for (const folder of folders) folder.close();
        await lock.release();
      }
    };
    const writable = async () => folders.every(({ usable }) => usable) && disk.writable();
    return { jobs, keys, repositories, inbox, idempotency, writable, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
