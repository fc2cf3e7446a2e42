/** Starts the sandbox as a person does, and captures its output. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../flows/harness.ts";

export interface SandboxProgram {
  printed(): string;
  /** What is printed behind this word at the beginning of a line. */
  told(word: string): string;
  /** The commands to copy. */
  readonly commands: readonly string[];
  stop(): Promise<number | null>;
}

export async function startSandboxProgram(): Promise<SandboxProgram> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../sandbox/cli.ts"), "--containers", "process"], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (out += text));
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  await until("the sandbox to be up", () => {
    if (child.exitCode !== null) throw new Error(out);
    return out.includes("/job do nothing");
  });
  return {
    printed: () => out,
    told: (word) => new RegExp(`^ *${word}:? +(\\S+)`, "m").exec(out)?.[1] ?? "",
    commands: [...out.matchAll(/^ {2}(curl .*?[^\\])$/gms)].map(([, command = ""]) => command),
    stop: async () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
