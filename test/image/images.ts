/** What an engine is to the proofs: it builds the two images and starts what is in them. */
import { execFileSync } from "node:child_process";
import { z } from "zod";

export const TARGETS = ["app", "agent"] as const;
export type TargetName = (typeof TARGETS)[number];

export const configSchema = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Healthcheck: z.object({ Test: z.array(z.string()) }).nullish(),
});
export type ImageConfig = z.infer<typeof configSchema>;

export interface Spec {
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine by their place inside. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Instead of the image's own. */
  readonly entrypoint?: string;
  readonly args?: readonly string[];
}

export interface Engine {
  readonly name: string;
  /** What it does not show. */
  readonly leaves: string;
  build(target: TargetName): void;
  config(target: TargetName): ImageConfig;
  /** Bytes, all layers together. */
  size(target: TargetName): number;
  /** The command that runs it in the foreground. */
  command(target: TargetName, spec: Spec): string[];
  /** Tells what that command runs, and not the command itself, to end. */
  tell(pid: number): void;
  /** Gives a folder of this machine to a user of the image. */
  own(folder: string, uid: number): void;
  /** The agent's image, if what it is kept apart from can be shown. */
  readonly fenced: string | null;
  /** Files that programs have written outside of /tmp and what was mounted. */
  stray(target: TargetName): string[];
  close(): void;
}

export const output = (command: string, ...args: string[]): string =>
  execFileSync(command, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  }).trim();
