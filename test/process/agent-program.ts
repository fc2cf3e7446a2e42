/** Starts a program of the agent's image as a container does: with a folder and the given variables, nothing else. */
import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { builtProgram } from "../build.ts";

export interface Program {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | string>;
}

/** `program`: its source in the project, or a command. It does not outlive the test. */
export function startProgram(
  program: string | readonly string[],
  environment: Record<string, string>,
  cwd = "/",
): Program {
  const [command = "", ...args] = typeof program === "string" ? builtProgram(program) : program;
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, by) => resolve(code ?? by ?? "?")),
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, output: () => text, ended };
}
