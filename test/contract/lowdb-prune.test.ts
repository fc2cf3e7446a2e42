import fs from "node:fs";
import { expect, it } from "vitest";
import { DAY_MS } from "../../src/engine/sliding-limit.ts";
import { inPlace } from "./store/lowdb-place.ts";
import { jobId, keep, START, sampleJob } from "./store/sample.ts";

const LATER = START + 100 * DAY_MS;

it("reads no record of which nothing can go, however many there are", () =>
  inPlace(async (place) => {
    const before = await place.open();
    for (let id = 1; id <= 5; id++) await keep(before.jobs, sampleJob(id, { status: "verified" }));
    await before.close();
    let reads = 0;
    const readFileSync: typeof fs.readFileSync = ((...args: Parameters<typeof fs.readFileSync>) => {
      reads += 1;
      return fs.readFileSync(...args);
    }) as typeof fs.readFileSync;
    const store = await place.open(() => LATER, { ...fs, readFileSync });
    reads = 0;
    expect(await store.jobs.prune({ jobs_before: START, logs_before: LATER }, 9)).toEqual({ jobs: 0, logs: 0 });
    expect(reads).toBe(0);
    expect(await store.jobs.load(jobId(1))).not.toBeNull();
    expect(reads).toBeGreaterThan(0);
    await store.close();
  }));
