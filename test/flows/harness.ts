/**
 * Runs the App in an environment of its own for one test: the real composition in this process, and a local GitHub with
 * a runner and a scripted model, all over HTTP. Tests act as people do: comment, look, wait for a condition.
 */
import { cp, rm } from "node:fs/promises";
import { onTestFailed, onTestFinished } from "vitest";
import type { Job, JobId } from "../../src/domain/job/job.ts";
import { listenEarly } from "../../src/http/server/bootstrap.ts";
import { type Composition, compose, type Overrides } from "../../src/main/compose.ts";
import { environment } from "../../src/main/environment.ts";
import { logTo } from "../../src/main/log.ts";
import { readSettings } from "../../src/main/settings.ts";
import { builtProgram } from "../build.ts";
import { assertAsRead } from "../contract/store/as-read.ts";
import { dataFolder } from "../data-folder.ts";
import { DEMO, type Sandbox, type SandboxSetup, startSandbox, WRITER } from "../sandbox/environment.ts";
import type { SandboxGitHub } from "../sandbox/github/main.ts";
import { type HandClock, handClock } from "./clock.ts";
import { scriptedRuns } from "./scripted-runs.ts";

export const API_KEY = "test-admin-key-0123456789";
export const WEBHOOK_SECRET = "test-webhook-secret-0123456789";

/** What the App waits for no longer than this, such as its next edit of a comment, need not be waited for in earnest. */
const SOON_MS = 10_000;
/** So long nothing happens at GitHub before time goes on. */
const QUIET_MS = 50;

/** Longer than any single step takes on a slow machine; a condition that holds earlier is seen at once. */
const TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 25;

export interface Harness {
  readonly sandbox: Sandbox;
  readonly github: Sandbox["github"];
  readonly app: Composition;
  /** Everything that the App has logged so far. */
  logged(): string;
  /** Opens an issue and comments on it; answers the issue's number. */
  ask(body: string, by?: string): number;
  /** The job that this issue's comment started, once there is one. */
  jobOf(issue: number): Promise<Job>;
  job(id: JobId): Promise<Job>;
  /** The App's sticky comment on this issue or pull request. */
  comment(number: number): string;
  request(path: string, init?: { method?: string; body?: unknown; key?: string | null }): Promise<Response>;
  /** Lets time pass for the App, as if it had been waiting; GitHub and its runners keep the real one. */
  pass(ms: number): void;
  /** What the App takes for the time of day. */
  now(): number;
  /** Stops the App and starts another on the same data. */
  restart(): Promise<void>;
}

/** For as many tests as share it: whoever starts it closes it. */
export interface SharedHarness extends Harness {
  /** The last of what the App has logged and the workflows have printed. */
  lastWords(): string;
  close(): Promise<void>;
}

/** Waits for a value that is neither null, undefined nor false. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  within_ms = TIMEOUT_MS,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + within_ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export interface HarnessOptions extends SandboxSetup {
  /** False: the App has no model to ask. */
  readonly model?: boolean;
  /** A folder of data that the App begins with. */
  readonly data?: string;
  /** Workflows are played by the real runner, with real programs, git and containers' processes. */
  readonly realRuns?: boolean;
  /** The App has its own clock and timers: time passes as it does, and a test only waits. */
  readonly realClock?: boolean;
}

const variables = (
  { github, modelAccess, model }: Sandbox,
  gate: { readonly port: number; readonly url: string },
  asks: boolean,
): Record<string, string> => ({
  APP_ID: String(github.appId),
  PRIVATE_KEY: github.privateKey,
  WEBHOOK_SECRET,
  GHE_HOST: new URL(github.url).host,
  GHE_PROTOCOL: "http",
  HOST: "127.0.0.1",
  PORT: String(gate.port),
  PUBLIC_URL: gate.url,
  GITHUB_CLIENT_ID: github.clientId,
  GITHUB_CLIENT_SECRET: github.clientSecret,
  API_KEY,
  DEFAULT_REPOSITORY: DEMO,
  ...(asks ? { ANTHROPIC_API_KEY: modelAccess.api_key, ANTHROPIC_BASE_URL: model.url } : {}),
  WEBHOOK_ALLOW_PRIVATE: "true",
  // most tests count what is written, and some have no workflow
  SET_UP_PULL_REQUESTS: "false",
});

/** Whenever nothing happens any more, time goes on to what the App does next; ends when it is told to. */
function skipWaits(github: SandboxGitHub, clock: HandClock): () => void {
  let calls = -1;
  const look = (): void => {
    const before = calls;
    calls = github.calls().length;
    const quiet = calls === before && github.isIdle && github.runs(DEMO).every((run) => run.status === "completed");
    if (quiet) clock.skip(SOON_MS);
  };
  const timer = setInterval(look, QUIET_MS);
  return () => clearInterval(timer);
}

interface AppSetup {
  readonly dataDir: string;
  readonly model: boolean;
  readonly more: Record<string, string>;
}

async function startApp(
  sandbox: Sandbox,
  { dataDir, model, more }: AppSetup,
  overrides: Pick<Overrides, "log" | "clock">,
): Promise<Composition> {
  const { github } = sandbox;
  // GitHub sends people back to where the App listens, so that is known first
  const gate = await listenEarly({ host: "127.0.0.1", port: 0 });
  const reading = readSettings(
    environment(dataDir, { ...variables(sandbox, gate, model), DATA_DIR: dataDir, ...more }),
    dataDir,
  );
  if (reading.kind !== "settings") throw new Error(`the settings are wrong: ${JSON.stringify(reading)}`);
  const composed = await compose(reading.settings, { ...overrides, earlyListener: gate });
  github.setWebhook({ url: `${composed.url}/api/github/webhooks`, secret: WEBHOOK_SECRET });
  github.setCallbacks([`${composed.url}/keys/callback`]);
  github.setSetUpUrl(`${composed.url}/installed`);
  return composed;
}

/** For one test, with whose end it closes. */
export async function startHarness(options?: HarnessOptions, more?: Record<string, string>): Promise<Harness> {
  const shared = await openHarness(options, more);
  onTestFailed(() => void process.stderr.write(shared.lastWords()));
  onTestFinished(() => shared.close());
  return shared;
}

export async function openHarness(
  { model = true, realRuns = false, realClock = false, data, ...options }: HarnessOptions = {},
  more: Record<string, string> = {},
): Promise<SharedHarness> {
  const dataDir = dataFolder("journeyman-test-");
  if (data !== undefined) await cp(data, dataDir, { recursive: true });
  const workflows: string[] = [];
  const sandbox = await startSandbox({
    program: builtProgram,
    ...(realRuns || options.containers ? {} : { playJob: scriptedRuns }),
    ...options,
    onLog: (text) => workflows.push(text),
  });
  const clock = handClock();
  const lines: string[] = [];
  const log = logTo({ write: (line: string) => void lines.push(line) }, "debug");
  const { github } = sandbox;

  const overrides = realClock ? { log } : { log, clock };
  const start = (): Promise<Composition> => startApp(sandbox, { dataDir, model, more }, overrides);
  let app = await start();
  const endSkipping = realClock ? () => {} : skipWaits(github, clock);
  const job = async (id: JobId): Promise<Job> => {
    const stored = await app.store.jobs.load(id);
    if (stored === null) throw new Error(`there is no job ${id}`);
    return stored.job;
  };

  return {
    sandbox,
    github,
    get app() {
      return app;
    },
    logged: () => lines.join(""),
    ask(body, by = WRITER) {
      const issue = github.openIssue(DEMO, { title: "Something to do", body: "As the comment says.", by });
      github.comment(DEMO, issue, { body, by });
      return issue;
    },
    async jobOf(issue) {
      return job(await until(`a job of issue #${issue}`, () => app.store.jobs.ofIssue(DEMO, issue)));
    },
    job,
    comment: (number) => github.comments(DEMO, number).find((one) => one.user.endsWith("[bot]"))?.body ?? "",
    request: (path, { method = "GET", body, key = API_KEY } = {}) =>
      fetch(`${app.url}${path}`, {
        method,
        headers: {
          ...(key === null ? {} : { "x-api-key": key }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    pass: clock.pass,
    now: clock.now,
    async restart() {
      await app.stop();
      app = await start();
    },
    lastWords: () => `${lines.slice(-60).join("")}\n${workflows.join("").slice(-4_000)}\n`,
    async close() {
      endSkipping();
      await app.stop();
      await assertAsRead(app.store.jobs, dataDir);
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until the job is at this status (or merged), and answers it; in vain, it tells what the job is instead. */
export async function untilJob(harness: Harness, id: JobId, what: string, holds: (job: Job) => boolean): Promise<Job> {
  try {
    return await until(`the job to be ${what}`, async () => {
      const job = await harness.job(id);
      return holds(job) ? job : null;
    });
  } catch (cause) {
    throw new Error(`the job was never ${what}: ${JSON.stringify(await harness.job(id))}`, { cause });
  }
}
