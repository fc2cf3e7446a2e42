/**
 * Runs a program without a shell, with a given environment, and with limits on time and kept output. The program leads
 * a process group, so that a time limit ends its children too. SIGTERM comes first, so that git removes its locks; a
 * process that cannot be killed (it belongs to root) is not waited for.
 */
import { spawn } from "node:child_process";
import { tail } from "../../src/text/text.ts";

/** Default limit on kept stdout, in bytes. */
const OUTPUT_LIMIT = 8 * 1024 * 1024;
/** Limit on kept stderr, in characters. The end is kept, since it holds the reason. */
const MESSAGE_LIMIT = 16 * 1024;
const CANNOT_START = 127;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;

export interface CommandOptions {
  /** The complete environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly outputLimit?: number;
}

export interface CommandResult {
  /** Null when a signal or a limit ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly limit: "time" | "output" | null;
}

const live = new Set<number>();

/** Ends all running commands, because this process is about to exit. */
export function endCommands(): void {
  for (const pid of live) signalGroup(pid, "SIGKILL");
}

export const succeeded = ({ code }: CommandResult): boolean => code === 0;

export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { env, limitMs, cwd = "/", input, outputLimit = OUTPUT_LIMIT } = options;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...env }, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    if (child.pid !== undefined) live.add(child.pid);
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = "";
    let limit: CommandResult["limit"] = null;
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
      stderr = tail(stderr + text, MESSAGE_LIMIT);
    });
    // A program that does not read its input is not an error.
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
    // The process is gone or belongs to root.
  }
}

/** The last words on stderr as one line, for use in a sentence. */
export function errorTail({ stderr, limit }: Pick<CommandResult, "stderr" | "limit">, most = 300): string {
  if (limit === "time") return "it took too long";
  if (limit === "output") return "it printed too much";
  const words = stderr
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  return words.length > most ? `…${tail(words, most)}` : words;
}
