/**
 * The App's server for tests of its HTTP side: the real store, engine, Probot and routes over a real socket. GitHub
 * alone is replaced, by a performer and a desk that a test scripts.
 */
import { createHmac } from "node:crypto";
import { rm } from "node:fs/promises";
import { type ApplicationFunction, type Options, Probot } from "probot";
import { acting, createApp } from "../../src/app.ts";
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { Secret } from "../../src/contracts/secret.ts";
import { DEFAULT_REPOSITORY_SETTINGS, type RepositorySettings } from "../../src/contracts/settings.ts";
import type { QuotaLimits } from "../../src/domain/job/quotas.ts";
import { createRecorder } from "../../src/engine/audit-record.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createIds } from "../../src/engine/ids.ts";
import type { Clock } from "../../src/engine/ports/clock.ts";
import type { GitHubClient } from "../../src/engine/ports/github.ts";
import type { PaymentProvider } from "../../src/engine/ports/payments.ts";
import type { Performer } from "../../src/engine/ports/performer.ts";
import type { PushTokens, RunTokens } from "../../src/engine/ports/runs.ts";
import type { Engine } from "../../src/engine/ports/service.ts";
import type { Store } from "../../src/engine/ports/store.ts";
import { createOctokits } from "../../src/github/client/octokit.ts";
import { translateWebhook } from "../../src/github/events/translate.ts";
import { createMetrics } from "../../src/http/admin/metrics.ts";
import { allRoutes, apiRoutes, type RouteParts } from "../../src/http/api.ts";
import { authentication } from "../../src/http/middleware/auth.ts";
import { createAuthThrottle } from "../../src/http/middleware/auth-throttling.ts";
import type { Route } from "../../src/http/routing/route.ts";
import { createBodyThread } from "../../src/http/server/body-thread.ts";
import { listenEarly } from "../../src/http/server/bootstrap.ts";
import { createListener } from "../../src/http/server/listener.ts";
import { createLiveLogs } from "../../src/job-log/live-logs.ts";
import { createRunLines } from "../../src/job-log/run-lines.ts";
import { deterministicEstimator } from "../../src/llm/estimate.ts";
import { logTo, warnOfSignature } from "../../src/main/log.ts";
import { createSealedBox } from "../../src/main/seal.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { createOutgoingWebhooks } from "../../src/webhooks/webhooks.ts";
import { dataFolder } from "../data-folder.ts";
import { appKey } from "./app-key.ts";
import { assertAsRead } from "./store/as-read.ts";

export const API_KEY = "the-admin-key-of-these-tests";
export const CRON_SECRET = "the cron secret of these tests";
export const SECRET = "the webhook secret of these tests";

export const OPEN_MARKET = { enabled: true, run_checks: "always" } as const;

const MANY = 1_000_000;
/** Most tests are about something else than how much one account may ask for. */
const ROOMY: QuotaLimits = {
  ...{ kept_bytes: 1024 * MANY, open_orders: MANY, jobs_under_way: MANY, quotes_per_hour: MANY },
  ...{ turns_per_day: MANY, accepted_jobs: MANY },
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
  github: {
    push: () => string | Promise<string>;
    installed: boolean | Promise<boolean>;
    /** Pull requests are opened, each under the next number. */
    opens: boolean;
    busy_ms: number;
    /** What the repository's settings say of the market. */
    market: RepositorySettings["market"];
  };
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

export async function startServer(
  given: {
    default_repository?: string;
    clock?: Clock;
    dir?: string;
    allow_private?: boolean;
    trust_proxy?: number;
    paymentProvider?: PaymentProvider;
    run_tokens?: RunTokens;
    push_tokens?: PushTokens;
    quotas?: Partial<QuotaLimits>;
  } = {},
): Promise<TestServer> {
  const dir = given.dir ?? dataFolder("http-");
  const clock = given.clock ?? systemClock;
  const store = await openLowdbStore({ dir, now: clock.now });
  const logged: string[] = [];
  const said: string[] = [];
  const log = logTo({ write: (line) => void logged.push(line) }, "debug");
  const github: TestServer["github"] = {
    push: () => "done",
    installed: true,
    opens: false,
    busy_ms: 0,
    market: OPEN_MARKET,
  };

  let pulls = 0;
  const performer: Performer = {
    async perform(effect) {
      if (effect.type === "open-pull-request" && github.opens) {
        const opened = { round: effect.round, number: ++pulls, url: `https://github.com/pull/${pulls}` };
        return { ended: "done", command: { type: "pull-request-opened", ...opened, head_sha: "d".repeat(40) } };
      }
      if (effect.type !== "push-brief") return { ended: "done" };
      const outcome = await github.push();
      const at = { round: effect.round, try: effect.try };
      if (outcome === "later") return { ended: "later", reason: "GitHub is away", after_ms: 60_000 };
      if (outcome !== "done") return { ended: "done", command: { type: "brief-refused", ...at, sentence: outcome } };
      const pushed = { head_sha: "a".repeat(40), base: { branch: "main", sha: "b".repeat(40) } };
      const settings = { ...DEFAULT_REPOSITORY_SETTINGS, market: github.market };
      return { ended: "done", command: { type: "brief-pushed", ...at, ...pushed, settings } };
    },
  };
  const githubClient: GitHubClient = {
    permission: async (_repository, login) => ({ permission: "write", person: { id: 1, login } }),
    repository: async ({ owner, name, installation_id }) => ({
      ...{ owner, name, id: 1, installation_id, base: null, settings_problem: null },
      settings: { ...DEFAULT_REPOSITORY_SETTINGS, market: github.market },
    }),
    settingsPushed: async () => null,
    pullRequest: async () => ({ head_branch: "x", head_sha: "c".repeat(40), from_fork: false }),
    react: async () => {},
    reply: async (_repository, _issue, _marker, body) => void said.push(body),
    installation: async () => ((await github.installed) ? { id: 1 } : null),
    pushWait: () => github.busy_ms,
    loginOf: async () => null,
    forgetAccess: () => {},
    failedDeliveries: async () => [],
    redeliver: async () => {},
  };
  const record = createRecorder({ audit: store.audit, clock, log });
  const { subscriptions, outgoing } = store;
  const box = createSealedBox({ encryption_key: null, data_dir: dir });
  const notify = createOutgoingWebhooks({
    subscriptions,
    outgoing,
    box,
    clock,
    log,
    record,
    allow_private: given.allow_private ?? true,
  });
  const octokits = createOctokits();
  const metrics = createMetrics({ jobs: store.jobs, inbox: store.inbox, budget: octokits.budget, now: clock.now });
  const parts = { store, clock, ids: createIds(clock), performer, githubClient, log, record, meter: metrics.meter };
  const lines = createRunLines();
  const llm = { provider: "anthropic", model: DEFAULT_MODEL, max_tokens: null };
  const engine = createEngine({
    ...{ ...parts, lines, publishing: notify, llm, estimator: deterministicEstimator },
    quotas: { ...ROOMY, ...given.quotas },
  });
  const options: Options = { appId: 1, privateKey: appKey, secret: SECRET, Octokit: octokits.Octokit, log };
  const default_repository = given.default_repository ?? null;
  const logs = createLiveLogs({ jobs: store.jobs, service: engine, lines, clock, log });
  const authThrottle = createAuthThrottle(clock.now);
  const thread = createBodyThread(new URL("../../src/main/body-thread.ts", import.meta.url), SECRET);
  const routeParts: RouteParts = {
    authentication: authentication({
      ...{ keys: store.keys, repositories: store.repositories, record, authThrottle, now: clock.now },
      api_key: API_KEY,
    }),
    ...store,
    ...{ logs, metrics, lines, thread },
    run_tokens: given.run_tokens ?? null,
    push_tokens: given.push_tokens ?? { mint: async () => Promise.reject(new Error("nobody makes tokens here")) },
    ...{ service: engine, githubClient, default_repository, log, now: clock.now, clock, webhooks: notify.webhooks },
    ...{ sign_in: null, authThrottle, record },
    ...{ github_web_url: "https://github.com", public_url: null, default_model: "the-server's-model" },
    box,
    paymentProvider: given.paymentProvider ?? null,
    cron_secret: new Secret(CRON_SECRET),
  };
  const app = createApp({
    hear: (event, payload) => translateWebhook(event, payload, { appId: 1, slug: "journeyman" }),
    service: engine,
    log,
    routes: (router) => apiRoutes(router, routeParts),
  });
  const gate = await listenEarly({ host: "127.0.0.1", port: 0 });
  const { timed } = metrics;
  const forged = (id: string | undefined): void => warnOfSignature(log, id);
  const large = {
    thread,
    self: () => ({ appId: 1, slug: "journeyman" }),
    act: acting({ service: engine, log }),
    forged,
  };
  const listener = await createListener(new Probot(options), app, {
    timed,
    trust_proxy: given.trust_proxy ?? 0,
    large,
  });
  await notify.start();
  await engine.start();
  gate.open(listener);

  return {
    url: gate.url,
    store,
    engine,
    said,
    logged,
    app,
    probot: options,
    routes: allRoutes(routeParts),
    github,
    ask(method, path, { key = API_KEY, body, headers = {} } = {}) {
      const all = { ...(key === null ? {} : { "x-api-key": key }), ...headers };
      return ask(`${gate.url}${path}`, method, all, typeof body === "string" ? body : JSON.stringify(body));
    },
    deliver(event, id, payload, signature) {
      const body = JSON.stringify(payload);
      const signed = signature ?? `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      const headers = { "content-type": "application/json", "x-github-event": event, "x-github-delivery": id };
      return ask(`${gate.url}/api/github/webhooks`, "POST", { ...headers, "x-hub-signature-256": signed }, body);
    },
    async close() {
      logs.stop();
      await gate.close();
      await engine.stop();
      await notify.stop();
      await thread.stop();
      await store.close();
      await assertAsRead(store.jobs, dir);
      if (given.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
