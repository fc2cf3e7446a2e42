/** Folders for lowdb stores, and failures of the disk below them. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { join } from "node:path";
import type { Store } from "../../../src/engine/ports/store.ts";
import type { FileSystem } from "../../../src/store/lowdb/disk.ts";
import { openLowdbStore } from "../../../src/store/lowdb/open.ts";
import { dataFolder } from "../../data-folder.ts";
import { type Place, START } from "./sample.ts";

export interface LowdbPlace extends Place {
  readonly dir: string;
  open(now?: () => number, fileSystem?: FileSystem): Promise<Store>;
}

export function lowdbPlace(): LowdbPlace {
  const dir = dataFolder("store-");
  return {
    dir,
    open: (now = () => START, fileSystem = fs) => openLowdbStore({ dir, now, fileSystem }),
    openOn: (clock) => openLowdbStore({ dir, ...clock }),
    remove: async () => fs.rmSync(dir, { recursive: true }),
  };
}

export async function inPlace(use: (place: LowdbPlace) => Promise<void>): Promise<void> {
  const place = lowdbPlace();
  try {
    await use(place);
  } finally {
    await place.remove();
  }
}

/** What the system says when the disk is full. */
export const noSpace = (): Error => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });

/** All files below a folder, with their paths in it. */
export const filesIn = (dir: string): string[] =>
  fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();

/** A process that holds the store of a folder and works on it until it is killed. */
export interface Worker {
  readonly process: ChildProcess;
  /** What it has been told by the store, in order. */
  readonly told: readonly string[];
  kill(): Promise<void>;
}

export function startWorker(dir: string, task: "hold" | "commit" | "record" | "log"): Worker {
  const script = new URL("./lowdb-worker.ts", import.meta.url).pathname;
  const child = fork(script, [dir, task], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const told: string[] = [];
  child.on("message", (message) => told.push(String(message)));
  const ended = once(child, "exit");
  return {
    process: child,
    told,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves once the worker was told that many things; fails when it ends before that. */
export function untilTold(worker: Worker, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.told.length >= count) resolve();
    };
    worker.process.on("message", look);
    worker.process.once("exit", (code) => reject(new Error(`The worker ended with ${code}.`)));
    look();
  });
}
