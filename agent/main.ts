/** Entry of the agent: reads settings, handles signals, sets the exit code. */
import "./no-debugger.ts";
import { setTimeout as wait } from "node:timers/promises";
import { Cancellation } from "./loop/cancellation.ts";
import { runJob } from "./run.ts";
import { readSettings } from "./settings.ts";

const read = readSettings(process.env, process.cwd());
if (!read.ok) {
  console.error(`The agent cannot start: ${read.reason}`);
  process.exit(2);
}
const cancellation = new Cancellation();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => cancellation.interrupt({ kind: "cancelled", by: name }));
}
process.on("uncaughtException", (error) => cancellation.interrupt({ kind: "crashed", reason: error.message }));
const code = await runJob(read.settings, {
  cancellation,
  now: () => new Date(),
  pause: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
  print: (row) => process.stdout.write(`${row}\n`),
}).catch((error: unknown) => {
  console.error(`The agent could not write its result: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
// Exits explicitly: a process that the model left behind can hold one of our pipes open.
process.exit(code);
