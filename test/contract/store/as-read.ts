/** Checks that a store answers a job exactly as the next start will read it from the disk. */
import { deepStrictEqual } from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import type { JobStore } from "../../../src/engine/ports/jobs.ts";
import { Folder } from "../../../src/store/lowdb/disk.ts";
import { jobFormat } from "../../../src/store/lowdb/job-file.ts";
import { jobId } from "./sample.ts";

/** `dir`: of the store, which nobody writes to meanwhile. */
export async function assertAsRead(jobs: Pick<JobStore, "load">, dir: string): Promise<void> {
  const folder = new Folder(fs, join(dir, "jobs"));
  for (const name of folder.takeFound(".json")) {
    const id = jobId(name.replace(/\.json$/, ""));
    const { log_before: _, ...record } = jobFormat.parse(folder.read(name));
    deepStrictEqual(await jobs.load(id), record);
  }
  folder.close();
}
