/**
 * Starts a program with an environment of its own and no shell, bounded in time and in what is kept of its output.
 * The program leads a process group, so that a time limit ends its children as well. Told to end, git removes its locks;
 * what cannot be ended (it is root's) is waited for no longer.
 */
import { spawn } from "node:child_process";
import { tail } from "../../src/text/text.ts";

/** Bytes of stdout that are kept unless a caller names its own limit. */
const OUTPUT_LIMIT = 8 * 1024 * 1024;
/** Characters of stderr: the end counts, where the reason stands. */
const WORDS_LIMIT = 16 * 1024;
const CANNOT_START = 127;
/** Between being told to end and being killed. */
const GRACE_MS = 2_000;

export interface CommandOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly outputLimit?: number;
}

export interface Ran {
  /** Null where a signal or a limit ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly limit: "time" | "output" | null;
}

const live = new Set<number>();

/** Ends all that is still going: this process is about to. */
export function endCommands(): void {
  for (const pid of live) signalGroup(pid, "SIGKILL");
}

export const succeeded = ({ code }: Ran): boolean => code === 0;

export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<Ran> {
  const { env, limitMs, cwd = "/", input, outputLimit = OUTPUT_LIMIT } = options;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...env }, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    if (child.pid !== undefined) live.add(child.pid);
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = "";
    let limit: Ran["limit"] = null;
    const end = (reason: "time" | "output"): void => {
      if (limit !== null) return;
      limit = reason;
      signalGroup(child.pid, "SIGTERM");
      clearTimeout(clock);
      clock = setTimeout(() => done(null), GRACE_MS);
    };
    let clock = setTimeout(() => end("time"), limitMs);
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > outputLimit) end("output");
      else chunks.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = tail(stderr + text, WORDS_LIMIT);
    });
    // A program that reads no input is none of our trouble.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    const done = (code: number | null): void => {
      clearTimeout(clock);
      if (limit !== null) signalGroup(child.pid, "SIGKILL");
      for (const stream of child.stdio) stream?.destroy();
      if (child.pid !== undefined) live.delete(child.pid);
      resolve({ code: limit === null ? code : null, stdout: Buffer.concat(chunks), stderr, limit });
    };
    child.once("error", (error) => {
      stderr += error.message;
      done(CANNOT_START);
    });
    child.once("close", done);
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // gone already, or root's
  }
}

/** The last words of a program, on one line, for a sentence. */
export function lastWords({ stderr, limit }: Pick<Ran, "stderr" | "limit">, most = 300): string {
  if (limit === "time") return "it took too long";
  if (limit === "output") return "it said too much";
  const words = stderr
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  return words.length > most ? `…${tail(words, most)}` : words;
}
