/**
 * Calls docker's command line. Docker gets the variables that locate the engine and those that the container needs,
 * never this process's whole environment, which holds the run's identity token.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Within } from "./git.ts";
import { type CommandResult, runCommand, succeeded } from "./run-command.ts";

/** Limit for every call except `run`. */
const CALL_LIMIT_MS = 20_000;

export interface ContainerOptions {
  readonly name?: string;
  /** Left when it has ended; else it is removed. */
  readonly keep?: boolean;
  readonly image: string;
  readonly user: string;
  readonly entrypoint?: string;
  /** Added to the flags that every container gets. */
  readonly flags: readonly string[];
  /** Passed by name, so that no value appears in the process list. */
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Whether it reads what this process writes to it. */
  readonly interactive?: boolean;
}

export interface Running {
  /** Ended unless the container is interactive. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The container's exit code; null when docker itself was killed. */
  readonly ended: Promise<number | null>;
  /** Docker forwards it to the container. */
  signal(name: NodeJS.Signals): void;
}

export class Docker {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #label: string;
  readonly #within: Within;

  constructor(environment: Readonly<Record<string, string>>, jobId: string, within: Within) {
    this.#environment = environment;
    this.#within = within;
    this.#label = `dev.journeyman.job=${jobId}`;
  }

  call(args: readonly string[], limitMs = CALL_LIMIT_MS): Promise<CommandResult> {
    return runCommand("docker", args, { env: this.#environment, limitMs: this.#within(limitMs) });
  }

  /** Whether this machine lacks an image, after Docker was to get it. */
  async lacksImage(image: string): Promise<boolean> {
    return !succeeded(await this.call(["image", "inspect", "--format", "{{.Id}}", image]));
  }

  createNetwork(name: string, flags: readonly string[]): Promise<CommandResult> {
    return this.call(["network", "create", ...flags, "--label", this.#label, name]);
  }

  /** Runs a container to its end. */
  finish(container: ContainerOptions, limitMs: number): Promise<CommandResult> {
    const env = { ...this.#environment, ...container.env };
    return runCommand("docker", this.#runArguments(container), { env, limitMs: this.#within(limitMs) });
  }

  /** Starts a container in its own process group, so that only this process signals it. The caller reads its output. */
  start(container: ContainerOptions): Running {
    const env = { ...this.#environment, ...container.env };
    const child = spawn("docker", this.#runArguments(container), {
      env,
      cwd: "/",
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    // A container that has ended reads no more.
    child.stdin.on("error", () => {});
    if (!container.interactive) child.stdin.end();
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      ended: endOf(child),
      signal: (name) => void child.kill(name),
    };
  }

  #runArguments(container: ContainerOptions): string[] {
    const { name, keep = false, image, user, entrypoint, flags, env, args = [], interactive } = container;
    return [
      ...["run", ...(keep ? [] : ["--rm"]), "--log-driver", "none", "--label", this.#label],
      ...(name === undefined ? [] : ["--name", name]),
      ...(interactive ? ["--interactive"] : []),
      ...["--user", user, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
      ...flags,
      ...Object.keys(env).flatMap((variable) => ["-e", variable]),
      ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
      image,
      ...args,
    ];
  }
}

const endOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (code) => resolve(code));
  });
