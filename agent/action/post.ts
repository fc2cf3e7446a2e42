/** The program that always follows the step: {@link runPost} with what a runner gives it. */

import { useRunnerProxy } from "../runner-proxy.ts";
import { runPost } from "./post-stage.ts";
import { endCommands } from "./run-command.ts";

useRunnerProxy(process.env);
const code = await runPost({ environment: process.env, write: (text) => void process.stdout.write(text) });
endCommands();
process.exit(code);
