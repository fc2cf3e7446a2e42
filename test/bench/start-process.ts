/** Starts a server as a process and asks it from its first moment on. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../sandbox/free-port.ts";

export interface Program {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Started {
  /** Milliseconds from the start to the first 200 of this path. */
  answers(path: string): Promise<number>;
  /** Milliseconds of the processor that it has used so far. */
  cpu(): number;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const ASK_EVERY_MS = 2;
const TIMEOUT_MS = 60_000;

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

/** Null: nobody listens yet. */
const statusOf = (url: string): Promise<number | null> =>
  new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? null));
    }).once("error", () => resolve(null));
  });

/** Of all threads, in nanoseconds, by Linux's own count. */
const cpuOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, used) => sum + used, 0);

/** With the settings that both servers know, and a GitHub that is away. */
export async function startServer({ script, env }: Program): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "bench-start-"));
  const port = await freePort();
  const begun = performance.now();
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, APP_ID: "1", PRIVATE_KEY: privateKey, WEBHOOK_SECRET: "a secret of this bench" },
      ...{ HOST: "127.0.0.1", PORT: String(port), GHE_HOST: "127.0.0.1:9", GHE_PROTOCOL: "http", LOG_FORMAT: "json" },
      ...env,
    },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    child.kill(signal);
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    async answers(path) {
      for (;;) {
        if ((await statusOf(`http://127.0.0.1:${port}${path}`)) === 200) return performance.now() - begun;
        if (child.exitCode !== null || performance.now() - begun > TIMEOUT_MS)
          throw new Error(`${script} does not answer ${path}`);
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      }
    },
    cpu: () => (child.pid === undefined ? Number.NaN : cpuOf(child.pid) / 1e6),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}
