/** Opens a filled store as a server does and tells how long that took and what it weighs. */
import fs from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";

const ROUNDS = 3;
const [, , dir = ""] = process.argv;
const jobs = join(dir, "jobs");

await import("probot");
globalThis.gc?.();
const empty = process.memoryUsage().rss;

/** The first opening is that of a fresh process: its weight is what counts. */
const first = await openLowdbStore({ dir, now: Date.now });
const count = await first.jobs.count();
await setImmediate();
const peak = process.resourceUsage().maxRSS * 1024;
globalThis.gc?.();
const { rss } = process.memoryUsage();
await first.close();

function plainRead(): number {
  let bytes = 0;
  for (const name of fs.readdirSync(jobs)) bytes += fs.readFileSync(join(jobs, name)).length;
  return bytes;
}

const read_ms: number[] = [];
const open_ms: number[] = [];
let bytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  const begun = performance.now();
  bytes = plainRead();
  const half = performance.now();
  const store = await openLowdbStore({ dir, now: Date.now });
  const end = performance.now();
  if ((await store.jobs.count()) !== count) throw new Error("Jobs are missing.");
  await store.close();
  read_ms.push(half - begun);
  open_ms.push(end - half);
}
process.send?.({ bytes, read_ms, open_ms, rss, peak, empty }, undefined, undefined, () => process.disconnect());
