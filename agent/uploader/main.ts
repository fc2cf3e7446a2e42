/**
 * The log uploader (`courier`), for copies of run-job.yml from before the run action. It runs in a container of its
 * own, never together with the model's code, and only it can prove which run this is. Without an argument it reads the
 * agent's stdout, shows it and uploads the lines to the App; with `hand-in` it submits the result and prints `token …`
 * or `no …`.
 */
import "../no-debugger.ts";
import { setTimeout as wait } from "node:timers/promises";
import { readAgentOutput } from "../action/agent-output.ts";
import { AppClient } from "../action/report/app-client.ts";
import { readUploaderSettings } from "../action/report/app-settings.ts";
import { handIn } from "../action/report/hand-in.ts";
import { readHandIn } from "../action/report/hand-in-input.ts";
import { Outbox } from "../action/report/outbox.ts";
import { uploadLog } from "../action/report/upload-log.ts";
import { escapeRunnerCommands } from "../transcript/plain-rows.ts";

/** From the end of the agent's output to the uploader's own end, which is promised within ten seconds. */
const FLUSH_MS = 9_000;

const pause = (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal }).catch(() => {});
const print = (row: string): void => void process.stdout.write(`${row}\n`);
const read = readUploaderSettings(process.env);

async function uploadProgress(): Promise<void> {
  const ended = new AbortController();
  const over = new AbortController();
  const outbox = new Outbox();
  const say = (why: string | null): void => {
    if (why !== null) print(escapeRunnerCommands(`courier | The App did not receive the whole log: ${why}`));
  };
  const sent = read.ok
    ? uploadLog({ outbox, app: new AppClient(read.settings, Date.now), ended: ended.signal, over: over.signal, pause })
    : Promise.resolve(read.reason);
  const said = sent.then(say);
  await readAgentOutput(process.stdin, { print, keep: (line) => outbox.add(line) });
  ended.abort();
  const limit = setTimeout(() => over.abort(), FLUSH_MS);
  await said;
  clearTimeout(limit);
}

async function submitResult(): Promise<void> {
  const input = await readHandIn(process.stdin);
  const answer = !read.ok
    ? { ok: false as const, reason: read.reason }
    : input === null
      ? { ok: false as const, reason: "result and log are too large to submit" }
      : await handIn(input, { app: new AppClient(read.settings, Date.now), pause });
  print(answer.ok ? `token ${answer.token.reveal()}` : `no ${answer.reason.replace(/[\p{C}\s]+/gu, " ")}`);
}

// Ignores signals and ends with its input: stopped together with the agent, it still uploads the last lines.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => {});
// The reader of the progress has gone; the upload continues.
process.stdout.on("error", () => {});
await (process.argv[2] === "hand-in" ? submitResult() : uploadProgress());
process.exit(0);
