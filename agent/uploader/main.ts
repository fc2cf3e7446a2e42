/**
 * The log uploader (`courier`), for copies of run-job.yml from before the run action. It runs in a container of its
 * own, never together with the model's code, and only it can prove which run this is. Without an argument it reads the
 * agent's stdout, shows it and uploads the lines to the App; with `hand-in` it submits the result and prints `token …`
 * or `no …`.
 */
import "../no-debugger.ts";
import { setTimeout as wait } from "node:timers/promises";
import { submitResult, type UploaderPorts, uploadProgress } from "./uploader.ts";

/** From the end of the agent's output to the uploader's own end, which is promised within ten seconds. */
const FLUSH_MS = 9_000;

const ports: UploaderPorts = {
  environment: process.env,
  input: process.stdin,
  print: (row) => void process.stdout.write(`${row}\n`),
  now: Date.now,
  pause: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
};

// Ignores signals and ends with its input: stopped together with the agent, it still uploads the last lines.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => {});
// The reader of the progress has gone; the upload continues.
process.stdout.on("error", () => {});
await (process.argv[2] === "hand-in"
  ? submitResult(ports)
  : uploadProgress({ ...ports, limitFlush: (end) => void setTimeout(end, FLUSH_MS) }));
process.exit(0);
