/**
 * Owns the real processes of a job: one process group per command, its output by lines, a polite then a firm end.
 */
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";

/** A line that never ends is cut into pieces of this length. */
const LINE_LIMIT = 256 * 1024;
/** How long output may still come after the command itself has ended (background processes hold the pipe open). */
const DRAIN_MS = 2_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

export type Ended =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "aborted" }
  | { readonly kind: "not-started"; readonly reason: string };

export function runCommand(command: Command): Promise<Ended> {
  if (command.signal.aborted) return Promise.resolve({ kind: "aborted" });
  return new Promise((resolve) => {
    const child = spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const flush = [child.stdout, child.stderr].map((stream) => readLines(stream, command.onLine));
    let exit: Ended | undefined;
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      endGroup(child.pid, "SIGTERM");
      clearTimeout(timer);
      timer = setTimeout(finish, command.graceMs);
    };
    const finish = () => {
      clearTimeout(timer);
      command.signal.removeEventListener("abort", stop);
      if (command.signal.aborted) endGroup(child.pid, "SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
      for (const one of flush) one();
      resolve(command.signal.aborted ? { kind: "aborted" } : (exit ?? { kind: "exit", code: 1 }));
    };
    command.signal.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => {
      exit = { kind: "not-started", reason: error.message };
      finish();
    });
    child.once("exit", (code, signal) => {
      exit ??= { kind: "exit", code: code ?? 128 + (signal === "SIGKILL" ? 9 : 15) };
      if (!command.signal.aborted) timer = setTimeout(finish, DRAIN_MS);
    });
    child.once("close", finish);
  });
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.replace(/\r$/, ""));
    if (rest.length > LINE_LIMIT) {
      onLine(rest);
      rest = "";
    }
  });
  return () => {
    rest += decoder.end();
    if (rest !== "") onLine(rest);
    rest = "";
  };
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group is gone already.
  }
}

/**
 * Kills what a job left running, as GitHub's runner does: by a mark in the environment, which children inherit.
 * Systems without /proc keep such leftovers.
 */
export async function killMarked(mark: string): Promise<void> {
  const entries = await readdir("/proc").catch(() => []);
  for (const entry of entries) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = await readFile(`/proc/${entry}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(mark)) continue;
    try {
      process.kill(Number(entry), "SIGKILL");
    } catch {
      // It ended by itself between the two looks.
    }
  }
}
