/** Opens a filled store as a server does, and reports time and memory. */
import fs from "node:fs";
import { join } from "node:path";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";

const ROUNDS = 5;
const [, , dir = ""] = process.argv;
const jobs = join(dir, "jobs");

await import("probot");
globalThis.gc?.();
const empty = process.memoryUsage().rss;

/** Milliseconds, from a heap as clean as that of a fresh process. */
async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly answer: T }> {
  globalThis.gc?.();
  const begun = performance.now();
  const answer = await work();
  return { ms: performance.now() - begun, answer };
}

const open = () => openLowdbStore({ dir, now: Date.now });

function plainRead(): number {
  let bytes = 0;
  for (const name of fs.readdirSync(jobs)) bytes += fs.readFileSync(join(jobs, name)).length;
  return bytes;
}

/** The first opening is that of a fresh process: its weight is what counts. */
async function weigh(): Promise<{ readonly rss: number; readonly peak: number }> {
  const store = await open();
  const peak = process.resourceUsage().maxRSS * 1024;
  globalThis.gc?.();
  const { rss } = process.memoryUsage();
  await store.close();
  return { rss, peak };
}

const weight = await weigh();
const read_ms: number[] = [];
const open_ms: number[] = [];
let bytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  const read = await timed(plainRead);
  const opened = await timed(open);
  if ((await opened.answer.jobs.count()) !== fs.readdirSync(jobs).length) throw new Error("Jobs are missing.");
  await opened.answer.close();
  bytes = read.answer;
  read_ms.push(read.ms);
  open_ms.push(opened.ms);
}
process.send?.({ bytes, read_ms, open_ms, ...weight, empty }, undefined, undefined, () => process.disconnect());
