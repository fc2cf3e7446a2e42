/** Checks that a store answers a job exactly as the next start will read it from the disk. */
import { deepStrictEqual } from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import type { JobStore } from "../../../src/engine/ports/jobs.ts";
import { Folder } from "../../../src/store/lowdb/disk.ts";
import { jobFormat } from "../../../src/store/lowdb/job-file.ts";
import { JobLogs } from "../../../src/store/lowdb/job-logs.ts";
import { jobId } from "./sample.ts";

/** `dir`: of the store, which nobody writes to meanwhile. */
export async function assertAsRead(jobs: Pick<JobStore, "load">, dir: string): Promise<void> {
  const folder = new Folder(fs, join(dir, "jobs"));
  const logs = new JobLogs(folder);
  for (const name of folder.takeFound(".json")) {
    const id = jobId(name.replace(/\.json$/, ""));
    const { log, lines = [], ...record } = jobFormat.parse(folder.read(name));
    deepStrictEqual(await jobs.load(id), { ...record, log: log === null ? lines : logs.read(id, log) });
  }
  folder.close();
}
