/** Runs a process in its own process group, and ends the whole group at the time limit. */
import { type ChildProcess, spawn } from "node:child_process";

/** Output of an ended process may still be in the pipe; this long a silence means that all has arrived. */
const SILENCE_MS = 100;
/** Limit for a background process that keeps writing. */
const DRAIN_MS = 2_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly signal: AbortSignal;
  onOutput(chunk: Buffer): void;
}

export type Ended =
  | { readonly kind: "exited"; readonly code: number | null; readonly by: string | null }
  | { readonly kind: "timed_out" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "not_started"; readonly reason: string };

export interface Running {
  /** The group's id; its processes may outlive the command. */
  readonly group: number | undefined;
  readonly ended: Promise<Ended>;
}

export function start(command: Command): Running {
  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: { ...command.environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { group: child.pid, ended: wait(child, command) };
}

/** Ends every process of the group, if any are left. */
export function endGroup(group: number | undefined): void {
  signalGroup(group, "SIGKILL");
}

export const groupLives = (group: number): boolean => signalGroup(group, 0);

function signalGroup(group: number | undefined, signal: "SIGKILL" | 0): boolean {
  if (group === undefined) return false;
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

function wait(child: ChildProcess, command: Command): Promise<Ended> {
  return new Promise((resolve) => {
    let killed: "timed_out" | "cancelled" | null = null;
    const kill = (why: "timed_out" | "cancelled") => {
      killed ??= why;
      endGroup(child.pid);
    };
    const timer = setTimeout(() => kill("timed_out"), command.seconds * 1_000);
    const cancel = () => kill("cancelled");
    command.signal.addEventListener("abort", cancel, { once: true });
    if (command.signal.aborted) cancel();
    let chunks = 0;
    const listen = (chunk: Buffer) => {
      chunks += 1;
      command.onOutput(chunk);
    };
    const streams = [child.stdout, child.stderr];
    for (const stream of streams) stream?.on("data", listen);
    const finish = (ended: Ended) => {
      clearTimeout(timer);
      command.signal.removeEventListener("abort", cancel);
      // Drains the output of background processes, which would block on a full pipe.
      for (const stream of streams) stream?.off("data", listen).resume();
      resolve(killed === null ? ended : { kind: killed });
    };
    child.once("error", (error) => finish({ kind: "not_started", reason: error.message }));
    child.once("exit", (code, by) => {
      const ended: Ended = { kind: "exited", code, by };
      const until = performance.now() + DRAIN_MS;
      const look = (before: number) =>
        setTimeout(() => {
          const silent = chunks === before || performance.now() > until;
          setImmediate(() =>
            silent && (chunks === before || performance.now() > until) ? finish(ended) : look(chunks),
          );
        }, SILENCE_MS);
      const drain = look(chunks);
      child.once("close", () => {
        clearTimeout(drain);
        finish(ended);
      });
    });
  });
}
