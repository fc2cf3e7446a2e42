/** What a store answers of a job must be what the next start will read, to the last field: memory is no better than the disk. */
import { deepStrictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JobStore } from "../../../src/engine/ports.ts";
import { jobFormat } from "../../../src/store/lowdb/job-file.ts";
import { jobId } from "./sample.ts";

/** `dir`: of the store, which nobody writes to meanwhile. */
export async function assertAsRead(jobs: Pick<JobStore, "load">, dir: string): Promise<void> {
  for (const name of readdirSync(join(dir, "jobs"))) {
    const stored = await jobs.load(jobId(name.replace(/\.json$/, "")));
    deepStrictEqual(stored, jobFormat.parse(readFileSync(join(dir, "jobs", name), "utf8")));
  }
}
