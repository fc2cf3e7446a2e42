/**
 * The courier, for copies of run-job.yml from before the run action: a container of its own beside the agent's, and the only one that can say who this run is. Without an
 * argument it takes the agent's stdout, shows it and sends its lines to the App; with `hand-in` it hands in the result
 * and prints `token …` or `no …`. It never shares a container with the model's code.
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

/** Between the end of the agent's output and the courier's own; it is promised to end within ten seconds. */
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

// It ends with its input: told to end together with the agent, it still carries the agent's last words.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => {});
// Whoever read the progress is gone; the App may still hear it.
process.stdout.on("error", () => {});
await (process.argv[2] === "hand-in" ? handOver() : carry());
process.exit(0);
