/**
 * Watches the main thread's loop of the process into which it is loaded (`--import file:///…/loop-watch.ts?socket=PATH`) from
 * a thread of its own. That asks the loop for a sign, again and again, and notes how much of the CPU the main thread used
 * between two of them: work counts, a machine that is busy elsewhere does not. Whoever asks at the socket is told the most. Asked
 * for `/busy`, it has the main thread work for longer than it may, so that a test sees that this is seen.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as z from "zod";

export interface Seen {
  /** Milliseconds of CPU that the main thread has used at most without taking a turn. */
  readonly longest_ms: number;
  /** What a fixed piece of work takes on this machine. */
  readonly measure_ms: number;
  readonly rss: number;
}

/** Between two questions, so that the watched process is not kept busy by them. */
const PAUSE_MS = 1;
/** Signs in a row between which next to nothing was done: the process is at rest. */
const QUIET_SIGNS = 20;
const QUIET_MS = 0.5;
const BUSY_MS = 500;

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Milliseconds of CPU for a fixed piece of work: how fast the machine is now. */
function measure(): number {
  const text = JSON.stringify(Array.from({ length: 10_000 }, (_, at) => ({ [`key${at % 100}`]: `value ${at}`, at })));
  const from = cpuMs();
  for (let at = 0; at < 20; at += 1) JSON.parse(text);
  return cpuMs() - from;
}

function watch(port: NonNullable<typeof parentPort>, socket: string): void {
  let [before, longest, quiet] = [Number.NaN, 0, 0];
  const waiting: (() => void)[] = [];
  port.on("message", (cpu: number) => {
    const used = cpu - before;
    before = cpu;
    if (used > longest) longest = used;
    quiet = used < QUIET_MS ? quiet + 1 : 0;
    if (quiet >= QUIET_SIGNS) for (const tell of waiting.splice(0)) tell();
    setTimeout(() => port.postMessage("sign"), PAUSE_MS);
  });
  const measure_ms = measure();
  createServer((request, response) => {
    quiet = 0;
    if (request.url === "/busy") port.postMessage("busy");
    waiting.push(() => {
      const seen: Seen = { longest_ms: longest, measure_ms, rss: process.memoryUsage.rss() };
      longest = 0;
      response.end(JSON.stringify(seen));
    });
  }).listen(socket, () => port.postMessage("sign"));
}

/** Threads of the watched process load this as well, and are left alone. */
const watchedAt = z.object({ watched_at: z.string() });

if (isMainThread) {
  const watched_at = new URL(import.meta.url).searchParams.get("socket");
  const watcher = new Worker(new URL(import.meta.url), { execArgv: [], workerData: { watched_at } });
  watcher.on("message", (asked: "sign" | "busy") => {
    if (asked === "sign") watcher.postMessage(cpuMs());
    else for (const until = cpuMs() + BUSY_MS; cpuMs() < until; );
  });
  await once(watcher, "message");
  watcher.unref();
} else {
  const mine = watchedAt.safeParse(workerData);
  if (mine.success && parentPort !== null) watch(parentPort, mine.data.watched_at);
}
