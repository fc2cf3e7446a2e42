/** The App's server for tests of its HTTP side: the real composition on a real socket, with a scripted GitHub. */
import { createHmac } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { ApplicationFunction, Options } from "probot";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import type { QuotaLimits } from "../../src/domain/job/quotas.ts";
import type { PushTokens } from "../../src/engine/ports/runs.ts";
import type { Engine } from "../../src/engine/ports/service.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import type { Route } from "../../src/http/routing/route.ts";
import { compose, type Overrides } from "../../src/main/compose.ts";
import { logTo } from "../../src/main/log.ts";
import { readSettings, type Settings } from "../../src/main/settings.ts";
import { dataFolder } from "../data-folder.ts";
import { appKey } from "./app-key.ts";
import { type GitHubScript, scriptedGitHub } from "./scripted-github.ts";
import { assertAsRead } from "./store/as-read.ts";

export const API_KEY = "the-admin-key-of-these-tests";
export const CRON_SECRET = "the cron secret of these tests";
export const SECRET = "the webhook secret of these tests";
export const SERVER_MODEL = DEFAULT_MODEL;

export { OPEN_MARKET } from "./scripted-github.ts";

const MANY = 1_000_000;
/** Most tests are about something else than how much one account may ask for. */
const ROOMY: QuotaLimits = {
  ...{ kept_bytes: 1024 * MANY, open_orders: MANY, jobs_under_way: MANY, quotes_per_hour: MANY },
  ...{ rounds_per_day: MANY, accepted_jobs: MANY },
};

export interface TestServer {
  readonly url: string;
  readonly store: Store;
  readonly engine: Engine;
  /** What was answered in issues. */
  readonly said: string[];
  /** Every line that was logged. */
  readonly logged: string[];
  /** The app function, to be loaded elsewhere too, and what a Probot of its kind is made with. */
  readonly app: ApplicationFunction;
  readonly probot: Options;
  readonly routes: readonly Route[];
  /** What is done with effects from now on. */
  readonly github: GitHubScript;
  ask(method: string, path: string, options?: AskOptions): Promise<Asked>;
  deliver(event: string, id: string, payload: unknown, signature?: string): Promise<Asked>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  // a test asserts on whatever was answered
  readonly body: unknown;
}

async function ask(url: string, method: string, headers: Record<string, string>, body: string | undefined) {
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") ?? false;
  return { status: response.status, headers: response.headers, body: json && text !== "" ? JSON.parse(text) : text };
}

function settingsOf(variables: Record<string, string>, quotas: Partial<QuotaLimits> = {}): Settings {
  const reading = readSettings(variables, tmpdir());
  if (reading.kind !== "settings") throw new Error(`the settings are wrong: ${JSON.stringify(reading)}`);
  return { ...reading.settings, quotas: { ...ROOMY, ...quotas } };
}

export async function startServer(
  given: Pick<Overrides, "clock" | "paymentProvider" | "run_tokens"> & {
    default_repository?: string;
    dir?: string;
    allow_private?: boolean;
    trust_proxy?: number;
    push_tokens?: PushTokens;
    quotas?: Partial<QuotaLimits>;
  } = {},
): Promise<TestServer> {
  const dir = given.dir ?? dataFolder("http-");
  const settings = settingsOf(
    {
      ...{ APP_ID: "1", PRIVATE_KEY: appKey, WEBHOOK_SECRET: SECRET, API_KEY, CRON_SECRET, LLM_MODEL: SERVER_MODEL },
      ...{ HOST: "127.0.0.1", PORT: "0", DATA_DIR: dir, TRUST_PROXY: String(given.trust_proxy ?? 0) },
      WEBHOOK_ALLOW_PRIVATE: String(given.allow_private ?? true),
      ...(given.default_repository === undefined ? {} : { DEFAULT_REPOSITORY: given.default_repository }),
    },
    given.quotas,
  );
  const logged: string[] = [];
  const log = logTo({ write: (line) => void logged.push(line) }, "debug");
  const probot: Options = { appId: 1, privateKey: appKey, secret: SECRET, log };
  const github = scriptedGitHub(probot, given.push_tokens);
  const { url, store, engine, app, routes, stop } = await compose(settings, { ...given, log, github });

  return {
    ...{ url, store, engine, said: github.said, logged, app, probot, routes, github: github.script },
    ask(method, path, { key = API_KEY, body, headers = {} } = {}) {
      const all = { ...(key === null ? {} : { "x-api-key": key }), ...headers };
      return ask(`${url}${path}`, method, all, typeof body === "string" ? body : JSON.stringify(body));
    },
    deliver(event, id, payload, signature) {
      const body = JSON.stringify(payload);
      const signed = signature ?? `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      const headers = { "content-type": "application/json", "x-github-event": event, "x-github-delivery": id };
      return ask(`${url}/api/github/webhooks`, "POST", { ...headers, "x-hub-signature-256": signed }, body);
    },
    async close() {
      await stop();
      await assertAsRead(store.jobs, dir);
      if (given.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
