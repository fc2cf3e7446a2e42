/**
 * Starts the App as a separate process against a local GitHub with the latency and limits that the bench asks for.
 * Nothing of the App is replaced or switched off.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { startApp } from "../sandbox/app-process.ts";
import { DEMO, type Sandbox, type SandboxSetup, startSandbox } from "../sandbox/environment.ts";
import type { Call } from "../sandbox/github/main.ts";

/** What is still not so by then never will be. */
const TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 10;

/** In memory where there is such a place: our flushes would else write out what the local GitHub has just written. */
const MEMORY = "/dev/shm";
const root = existsSync(MEMORY) ? { root: MEMORY } : {};

export interface Stand {
  readonly sandbox: Sandbox;
  readonly github: Sandbox["github"];
  /** Warnings and errors of the App's log so far. */
  readonly complaints: readonly string[];
  /** `POST /api/create-job`; throws unless it answers 200. Answers the branch. */
  create(task: string, repository?: string): Promise<string>;
  /** `GET /api/jobs/status`. */
  status(id: string): Promise<string>;
  close(): Promise<void>;
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export const isToken = (call: Call): boolean => call.route.endsWith("/access_tokens");

const createdSchema = z.object({ branch: z.string() });
const statusSchema = z.object({ status: z.string() });

async function answered<T>(request: Promise<Response>, schema: z.ZodType<T>): Promise<T> {
  const response = await request;
  if (response.ok) return schema.parse(await response.json());
  throw new Error(`the App answered ${response.status}: ${await response.text()}`);
}

export async function openStand(options: SandboxSetup): Promise<Stand> {
  const dataDir = await mkdtemp(join(tmpdir(), "bench-app-"));
  const sandbox = await startSandbox({ ...options, github: { ...root, ...options.github } });
  const { github } = sandbox;
  const complaints: string[] = [];
  const [webhookSecret = "", apiKey = ""] = [0, 0].map(() => randomBytes(24).toString("hex"));
  const app = await startApp({
    ...{ github, dataDir, webhookSecret, apiKey, port: 0, defaultRepository: DEMO },
    onComplaint: (text) => void complaints.push(text.trimEnd()),
  });
  // asked once by each process, whatever it then does
  await until("the App's questions at its start", () =>
    ["/app", "/app/hook/deliveries"].every((route) => github.calls().some((call) => call.route === route)),
  );
  const headers = { "x-api-key": apiKey, "content-type": "application/json" };
  return {
    sandbox,
    github,
    complaints,
    async create(task, repository = DEMO) {
      const body = JSON.stringify({ job: task, repository });
      return (await answered(fetch(`${app.url}/api/create-job`, { method: "POST", headers, body }), createdSchema))
        .branch;
    },
    status: async (id) =>
      (await answered(fetch(`${app.url}/api/jobs/status?job_id=${id}`, { headers }), statusSchema)).status,
    async close() {
      await app.stop();
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
