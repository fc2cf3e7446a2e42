/** The program of the step: {@link runMain} with what a runner gives it. */

import { useRunnerProxy } from "../runner-proxy.ts";
import { runMain } from "./main-stage.ts";
import { endCommands } from "./run-command.ts";

useRunnerProxy(process.env);
const cancelled = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => cancelled.abort());
const code = await runMain({
  environment: process.env,
  write: (text) => void process.stdout.write(text),
  cancelled: cancelled.signal,
});
endCommands();
process.exit(code);
