/** Runs the App as a separate process that finds GitHub by its settings only. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as z from "zod";
import { programOf } from "./environment.ts";
import { freePort } from "./free-port.ts";
import type { SandboxGitHub } from "./github/main.ts";
import { searchPath } from "./search-path.ts";

export interface AppProcess {
  readonly url: string;
  /** Resolves with the exit code when the process is gone. */
  readonly gone: Promise<number | null>;
  stop(): Promise<void>;
  /** Like a crash: nothing is flushed or logged. */
  kill(): Promise<void>;
}

export interface AppProcessOptions {
  readonly github: SandboxGitHub;
  readonly dataDir: string;
  readonly port: number;
  readonly webhookSecret: string;
  readonly apiKey: string;
  readonly defaultRepository: string;
  /** The model for quotes and verdicts; null for none. */
  readonly model?: { readonly api_key: string; readonly base_url: string | null } | null;
  /** Further settings by variable name. */
  readonly more?: Readonly<Record<string, string>>;
  /** The command that starts a program of this project; by default {@link programOf}. */
  readonly program?: (path: string) => string[];
  /** Receives warnings and errors of the App's log. */
  readonly onComplaint: (text: string) => void;
}

const READY_LIMIT_MS = 60_000;
/** pino's level of warnings. */
const WARN = 40;

const lineSchema = z.object({
  level: z.number(),
  msg: z.string().catch(""),
  url: z.string().optional(),
  reason: z.string().optional(),
});

const HOST = "127.0.0.1";

const settingsOf = (options: AppProcessOptions, port: number): Record<string, string> => ({
  PATH: searchPath(),
  APP_ID: String(options.github.appId),
  PRIVATE_KEY: options.github.privateKey,
  WEBHOOK_SECRET: options.webhookSecret,
  GHE_HOST: new URL(options.github.url).host,
  GHE_PROTOCOL: "http",
  GITHUB_CLIENT_ID: options.github.clientId,
  GITHUB_CLIENT_SECRET: options.github.clientSecret,
  HOST,
  PORT: String(port),
  PUBLIC_URL: `http://${HOST}:${port}`,
  DATA_DIR: options.dataDir,
  API_KEY: options.apiKey,
  DEFAULT_REPOSITORY: options.defaultRepository,
  ...(options.model ? { ANTHROPIC_API_KEY: options.model.api_key } : {}),
  ...(options.model?.base_url ? { ANTHROPIC_BASE_URL: options.model.base_url } : {}),
  // webhook receivers are on this machine too
  WEBHOOK_ALLOW_PRIVATE: "true",
  LOG_FORMAT: "json",
  LOG_LEVEL: "info",
  ...options.more,
});

/** Follows the log until it says where the App listens; passes on warnings and errors. */
function follow(child: ChildProcess, onComplaint: (text: string) => void): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the App was started without pipes");
  stderr.setEncoding("utf8").on("data", onComplaint);
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on("line", (row) => {
      let raw: unknown = null;
      try {
        raw = JSON.parse(row);
      } catch {
        return onComplaint(row);
      }
      const line = lineSchema.safeParse(raw);
      if (!line.success) return;
      if (line.data.url !== undefined) resolve(line.data.url);
      if (line.data.level >= WARN) onComplaint(`${line.data.msg}${line.data.reason ? `: ${line.data.reason}` : ""}`);
    });
  });
}

export async function startApp(options: AppProcessOptions): Promise<AppProcess> {
  // The App must know its address before it listens, since GitHub redirects people there.
  const port = options.port === 0 ? await freePort() : options.port;
  const [command = "", ...args] = (options.program ?? programOf)("src/main.ts");
  // a folder without a `.env`, so that a developer's own settings do not apply
  const child = spawn(command, args, {
    cwd: options.dataDir,
    env: settingsOf(options, port),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  const late = once(limit, "abort").then((): never => {
    throw new Error("the App was not ready in a minute");
  });
  const died = gone.then((code): never => {
    throw new Error(`the App ended with ${code} before it was ready`);
  });
  try {
    const url = await Promise.race([follow(child, options.onComplaint), died, late]);
    options.github.setWebhook({ url: `${url}/api/github/webhooks`, secret: options.webhookSecret });
    options.github.setCallbacks([`${url}/keys/callback`]);
    options.github.setSetUpUrl(`${url}/installed`);
    return {
      url,
      gone,
      async stop() {
        child.kill("SIGTERM");
        await gone;
      },
      async kill() {
        child.kill("SIGKILL");
        await gone;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    died.catch(() => {});
    late.catch(() => {});
  }
}
