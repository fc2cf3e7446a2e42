/**
 * Which engine builds the images and starts them: docker where there is one, else buildah in a chroot. The latter shows
 * that every line of the Dockerfile works and that what is in the image runs as its user; it keeps nothing apart (no
 * network, no limits, no read-only root), so what those flags do is shown by docker alone.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { buildah } from "./buildah.ts";
import { docker } from "./docker.ts";
import type { Engine, Spec, TargetName } from "./images.ts";

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 100;

const works = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

export function findEngine(): Engine {
  if (works("docker", "info")) return docker();
  if (works("buildah", "--version") && works("debootstrap", "--version")) return buildah();
  throw new Error("There is neither a docker that answers nor buildah with debootstrap on this machine.");
}

export interface Started {
  readonly stop: () => void;
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | string>;
}

export function start(engine: Engine, target: TargetName, spec: Spec = {}): Started {
  const [command = "", ...args] = engine.command(target, spec);
  const child = spawn(command, args, { env: { ...process.env, ...spec.env }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, by) => resolve(code ?? by ?? "?")),
  );
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) engine.tell(child.pid);
  };
  return { child, stop, output: () => text, ended };
}

/** Runs it to its end; answers what it said. */
export async function said(engine: Engine, target: TargetName, entrypoint: string, ...args: string[]): Promise<string> {
  const started = start(engine, target, { entrypoint, args });
  const code = await started.ended;
  if (code !== 0) throw new Error(`${entrypoint} ended with ${code}: ${started.output()}`);
  return started.output().trim();
}

/** Waits for it while the program lives. */
export async function until(program: Started, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (program.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`waited in vain: ${program.output()}`);
    await wait(LOOK_EVERY_MS);
  }
}

export type Prove = (what: string, proof: () => Promise<void>) => Promise<void>;
