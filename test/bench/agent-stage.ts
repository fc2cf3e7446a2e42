/**
 * Shared parts of the agent's measurements: the endpoint's process, a checkout with a job, and the agent as the image
 * runs it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Brief } from "../../src/contracts/brief.ts";
import { BRIEF, type Checkout, JOB_ID, makeCheckout } from "../unit/agent-job.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** When a request came to the endpoint, in milliseconds. */
export type Seen = (at: number) => void;

export interface Endpoint {
  readonly url: string;
  /** Told of each request; the last one who asked is. */
  onRequest(seen: Seen): void;
  close(): void;
}

const line = z.union([z.object({ port: z.number() }), z.object({ at: z.number() })]);

/** Answers every request with one call of this tool. */
export async function startEndpoint(tool: string, input: object): Promise<Endpoint> {
  const program = fileURLToPath(new URL("agent-endpoint.ts", import.meta.url));
  const args = [program, tool, JSON.stringify(input)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let seen: Seen = () => {};
  const port = new Promise<number>((resolve) => {
    createInterface(child.stdout).on("line", (text) => {
      const read = line.parse(JSON.parse(text));
      if ("port" in read) resolve(read.port);
      else seen(read.at);
    });
  });
  return {
    url: `http://127.0.0.1:${await port}`,
    onRequest: (listener) => {
      seen = listener;
    },
    close: () => void child.kill(),
  };
}

/** No price, so that money is no limit. */
const MODEL = { provider: "anthropic", model: "bench", max_tokens: 1_000, notes: [] };

export const checkoutFor = (turns: number, change: Partial<Brief> = {}): Checkout =>
  makeCheckout({ llm: MODEL, limits: { ...BRIEF.limits, turns, minutes: 300 }, ...change });

/** The agent's bundle, made anew: `dist` may be older than the sources. */
export function bundle(): string {
  execFileSync("npm", ["run", "--silent", "build:agent"], { cwd: ROOT, stdio: "inherit" });
  return join(ROOT, "dist", "agent", "main.js");
}

export function startAgent(program: string, checkout: Checkout, url: string): ChildProcess {
  const env = { PATH: process.env.PATH, JOB_ID, WORKSPACE: checkout.folder, ANTHROPIC_BASE_URL: url };
  return spawn(process.execPath, [program], { env, cwd: checkout.folder, stdio: "ignore" });
}

export const exited = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
};
