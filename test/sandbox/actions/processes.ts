/**
 * Runs a job's real processes: one process group per command, output by lines, and the ending as in GitHub's runner:
 * SIGINT to the process, then SIGTERM to it, then SIGKILL to its group.
 */
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";

/** A longer line is split into pieces of this length. */
const LINE_LIMIT = 256 * 1024;
/** How long to wait for output after the command has ended, since background processes keep the pipe open. */
const DRAIN_MS = 2_000;

/** Time for a process to end after each of the two signals. */
export interface Grace {
  readonly interruptMs: number;
  readonly terminateMs: number;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly grace: Grace;
  /** Asks the process to end. */
  readonly signal: AbortSignal;
  /** Kills the process and its group at once. */
  readonly kill?: AbortSignal;
  readonly onLine: (line: string) => void;
  /** Receives the lines of stderr if they are to be kept apart. */
  readonly onErrorLine?: (line: string) => void;
}

export type Ended =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "aborted" }
  | { readonly kind: "not-started"; readonly reason: string };

export function runCommand(command: Command): Promise<Ended> {
  const { signal, kill, grace } = command;
  if (signal.aborted || kill?.aborted) return Promise.resolve({ kind: "aborted" });
  return new Promise((resolve) => {
    const child = spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const flush = [
      readLines(child.stdout, command.onLine),
      readLines(child.stderr, command.onErrorLine ?? command.onLine),
    ];
    let exit: Ended | undefined;
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      if (exit !== undefined) return;
      child.kill("SIGINT");
      timer = setTimeout(() => {
        child.kill("SIGTERM");
        timer = setTimeout(end, grace.terminateMs);
      }, grace.interruptMs);
    };
    const end = () => {
      endGroup(child.pid);
      finish();
    };
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      kill?.removeEventListener("abort", end);
      child.stdout.destroy();
      child.stderr.destroy();
      for (const one of flush) one();
      const aborted = signal.aborted || kill?.aborted === true;
      resolve(aborted ? { kind: "aborted" } : (exit ?? { kind: "exit", code: 1 }));
    };
    signal.addEventListener("abort", stop, { once: true });
    kill?.addEventListener("abort", end, { once: true });
    child.once("error", (error) => {
      exit = { kind: "not-started", reason: error.message };
      finish();
    });
    child.once("exit", (code, by) => {
      exit ??= { kind: "exit", code: code ?? 128 + (by === "SIGKILL" ? 9 : 15) };
      clearTimeout(timer);
      timer = setTimeout(finish, DRAIN_MS);
    });
    child.once("close", finish);
  });
}

/** A line ends with a line feed, a carriage return, or both, as for GitHub's runner. */
function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const text = rest + decoder.write(chunk);
    // a carriage return at the very end may be followed by a line feed
    const open = text.endsWith("\r") ? 1 : 0;
    const lines = text.slice(0, text.length - open).split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? "") + text.slice(text.length - open);
    for (const line of lines) onLine(line);
    if (rest.length > LINE_LIMIT) {
      onLine(rest);
      rest = "";
    }
  });
  return () => {
    rest = (rest + decoder.end()).replace(/\r$/, "");
    if (rest !== "") onLine(rest);
    rest = "";
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has already ended.
  }
}

/**
 * Kills a job's leftover processes as GitHub's runner does: by a variable that children inherit. Without /proc,
 * leftovers stay.
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
      // It ended between listing and signalling.
    }
  }
}
