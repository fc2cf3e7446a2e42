/**
 * The log uploader (`courier`), for copies of run-job.yml from before the run action. It runs in a container of its
 * own, never together with the model's code, and only it can prove which run this is. Without an argument it reads the
 * agent's stdout, shows it and uploads the lines to the App; with `hand-in` it submits the result and prints `token …`
 * or `no …`.
 */
import "../no-debugger.ts";
import { setTimeout as wait } from "node:timers/promises";
import { relay } from "../action/relay.ts";
import { AppLine } from "../action/report/app-line.ts";
import { readUploaderSettings } from "../action/report/app-settings.ts";
import { handIn } from "../action/report/hand-in.ts";
import { readHandIn } from "../action/report/hand-in-input.ts";
import { Outbox } from "../action/report/outbox.ts";
import { sendAll } from "../action/report/sending.ts";
import { harmless } from "../transcript/plain.ts";

/** From the end of the agent's output to the uploader's own end, which is promised within ten seconds. */
const LAST_WORDS_MS = 9_000;

const pause = (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal }).catch(() => {});
const print = (row: string): void => void process.stdout.write(`${row}\n`);
const read = readUploaderSettings(process.env);

async function carry(): Promise<void> {
  const ended = new AbortController();
  const over = new AbortController();
  const outbox = new Outbox();
  const say = (why: string | null): void => {
    if (why !== null) print(harmless(`courier | The App does not hear all of this log: ${why}`));
  };
  const sent = read.ok
    ? sendAll({ outbox, app: new AppLine(read.settings, Date.now), ended: ended.signal, over: over.signal, pause })
    : Promise.resolve(read.reason);
  const said = sent.then(say);
  await relay(process.stdin, { print, keep: (line) => outbox.add(line) });
  ended.abort();
  const limit = setTimeout(() => over.abort(), LAST_WORDS_MS);
  await said;
  clearTimeout(limit);
}

async function handOver(): Promise<void> {
  const leaving = await readHandIn(process.stdin);
  const answer = !read.ok
    ? { ok: false as const, reason: read.reason }
    : leaving === null
      ? { ok: false as const, reason: "result and log are too large to be handed in" }
      : await handIn(leaving, { app: new AppLine(read.settings, Date.now), pause });
  print(answer.ok ? `token ${answer.token.reveal()}` : `no ${answer.reason.replace(/[\p{C}\s]+/gu, " ")}`);
}

// Ignores signals and ends with its input: stopped together with the agent, it still uploads the last lines.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => {});
// The reader of the progress has gone; the upload continues.
process.stdout.on("error", () => {});
await (process.argv[2] === "hand-in" ? handOver() : carry());
process.exit(0);
