/**
 * Settings → everything wired and running. Alone sees all rooms. Used by the server, the sandbox and the tests, which
 * differ in nothing but their settings.
 */
import { performance } from "node:perf_hooks";
import { type ApplicationFunction, type Logger, Probot } from "probot";
import { acting, createApp } from "../app.ts";
import { dayOf, fitToModel } from "../contracts/model-choice.ts";
import { VERSION } from "../contracts/version.ts";
import type { TranslatedEvent } from "../domain/job/github-event.ts";
import { createRecorder } from "../engine/audit-record.ts";
import { systemClock } from "../engine/clock.ts";
import { createEngine } from "../engine/engine.ts";
import { createIds } from "../engine/ids.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { GitHubClient } from "../engine/ports/github.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";
import type { LiveLogs } from "../engine/ports/live-logs.ts";
import type { PaymentProvider } from "../engine/ports/payments.ts";
import type { RunLines, RunTokens } from "../engine/ports/runs.ts";
import type { Engine } from "../engine/ports/service.ts";
import type { SignIn } from "../engine/ports/sign-in.ts";
import type { Store } from "../engine/ports/store.ts";
import { watchCredentials } from "../github/client/app-credentials.ts";
import { askAppIdentity, createAppIdentity } from "../github/client/app-identity.ts";
import { createSignIn } from "../github/client/oauth.ts";
import { createOctokits, type OctokitSource, type Octokits } from "../github/client/octokit.ts";
import { createPushTokens } from "../github/client/push-tokens.ts";
import { createRunTokens } from "../github/client/run-tokens.ts";
import { createPerformer } from "../github/effects/perform.ts";
import { translateWebhook } from "../github/events/translate.ts";
import { createGitHubClient } from "../github/github-client.ts";
import { createMetrics, type Metrics } from "../http/admin/metrics.ts";
import { apiRoutes, type RouteParts } from "../http/api.ts";
import { authentication } from "../http/middleware/auth.ts";
import { createAuthThrottle } from "../http/middleware/auth-throttling.ts";
import { type BodyThread, createBodyThread } from "../http/server/body-thread.ts";
import { type EarlyListener, listenEarly } from "../http/server/bootstrap.ts";
import { createListener } from "../http/server/listener.ts";
import { receiveFromProxy } from "../http/server/webhook-proxy.ts";
import { createLiveLogs } from "../job-log/live-logs.ts";
import { createRunLines } from "../job-log/run-lines.ts";
import { createEstimator } from "../llm/estimator.ts";
import { createJudge } from "../llm/judge.ts";
import { openModel } from "../llm/model.ts";
import { openLowdbStore } from "../store/lowdb/open.ts";
import { createOutgoingWebhooks, type OutgoingWebhooks } from "../webhooks/webhooks.ts";
import { createLog, flushed, warnOfSignature } from "./log.ts";
import { createSealedBox } from "./seal.ts";
import type { Settings } from "./settings.ts";

export interface Composition {
  readonly url: string;
  readonly port: number;
  readonly engine: Engine;
  readonly store: Store;
  /** Finishes what is under way and lets go of everything; the log says why, and what is left for the next start. */
  stop(reason?: string): Promise<void>;
}

export interface ComposeParts {
  readonly settings: Settings;
  readonly log?: Logger;
  /** Real time, unless somebody else keeps it. */
  readonly clock?: Clock;
  /** Listening already, so that nobody is turned away while this loads. */
  readonly gate?: EarlyListener;
}

/** The program of the thread for large bodies: a file beside this one, or, where this is a chunk of a bundle, beside that. */
const BODY_THREAD = new URL(
  import.meta.filename.endsWith(".ts") ? "./body-thread.ts" : "../../body-thread.js",
  import.meta.url,
);

type Undo = () => Promise<void>;

/** Resolves when requests are answered. */
export async function compose(parts: ComposeParts): Promise<Composition> {
  const log = parts.log ?? (await createLog(parts.settings.log));
  const gate = parts.gate ?? (await listenEarly(parts.settings));
  // in the order of closing: nobody new comes in, answers under way are given, then the engine, then the store
  const closing: Undo[] = [() => gate.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0)) await step();
  };
  try {
    const wired = await wire(parts.settings, { log, gate, closing, clock: parts.clock ?? systemClock });
    const stop = async (reason = "asked to"): Promise<void> => {
      const begun = performance.now();
      await close();
      const ms = Math.round(performance.now() - begun);
      log.info({ reason, ms, ...(await leftBy(wired.store)) }, "Journeyman has stopped");
      await flushed(log);
    };
    return { ...wired, url: gate.url, port: gate.port, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the next start finds. */
async function leftBy({ jobs, inbox }: Store): Promise<object> {
  const { pending: effects_pending } = await jobs.tally();
  return { effects_pending, deliveries_pending: inbox.backlog().count };
}

/** What runs here, for whoever reads the log later. */
const startLine = (settings: Settings, { url, port }: EarlyListener): object => ({
  ...{ version: VERSION, node: process.version, mode: "server", store: "lowdb", data: settings.data_dir },
  ...{ url, port, public_url: settings.public_url, github: settings.github_web_url },
  model: `${settings.llm.provider}/${settings.llm.model}`,
});

interface Surroundings {
  readonly log: Logger;
  readonly gate: EarlyListener;
  readonly closing: Undo[];
  readonly clock: Clock;
}

async function wire(
  settings: Settings,
  { log, gate, closing, clock }: Surroundings,
): Promise<{ readonly engine: Engine; readonly store: Store }> {
  const store = await openLowdbStore({ dir: settings.data_dir, now: clock.now });
  closing.push(() => store.close());
  const { probot, source, budget, ahead } = connectGitHub(settings, log, clock);
  const self = createAppIdentity(source);
  const githubClient = createGitHubClient({ source, self });
  const model = openModel({ ...settings.llm, ...settings.anthropic }, log, clock.now);
  const llm = { ...settings.llm, listed: () => model?.listed() ?? null };
  const estimator = createEstimator(model);
  const lines = createRunLines();
  const performer = createPerformer({
    source,
    repositories: store.repositories,
    self,
    llm,
    judge: model === null ? null : createJudge(model),
    public_url: settings.public_url,
    log: async (id) => logSeen(lines, await store.jobs.load(id)),
    parcels: store.parcels,
    accounts: store.accounts,
  });
  const record = createRecorder({ audit: store.audit, clock, log });
  const { subscriptions, outgoing } = store;
  const { webhook_allow_private: allow_private } = settings;
  const notify = createOutgoingWebhooks({
    subscriptions,
    outgoing,
    box: createSealedBox(settings),
    clock,
    log,
    allow_private,
    record,
  });
  const metrics = createMetrics({ jobs: store.jobs, inbox: store.inbox, budget, now: clock.now });
  const watch = watchCredentials({ self, ask: () => askAppIdentity(source), app_id: settings.app_id, clock, log });
  closing.push(async () => watch.stop());
  watch.start();
  const engine = createEngine({
    ...{ store, clock, ids: createIds(clock), performer, githubClient, estimator, log, record, llm },
    quotas: settings.quotas,
    publishing: notify,
    ...{ meter: metrics.meter, lines, standing: watch.standing },
  });
  const ear = createEar(settings.app_id, self, log);
  const logs = createLiveLogs({ jobs: store.jobs, service: engine, lines, clock, log });
  const paymentProvider = await cashierOf(settings, { url: gate.url, log, notBooked: metrics.notBooked });
  const runs = {
    lines,
    run_tokens: runTokensOf(settings, clock, ahead),
    push_tokens: createPushTokens(source),
  };
  const told = { record, notify, metrics, logs, paymentProvider, runs };
  const thread = createBodyThread(BODY_THREAD, settings.webhook_secret.reveal());
  const app = appOf({ settings, store, engine, githubClient, hear: ear.hear, log, clock, thread, ...told });
  const forged = (id: string | undefined): void => warnOfSignature(log, id);
  const large = { thread, self: ear.self, act: acting({ service: engine, log }), forged };
  const { trust_proxy } = settings;
  const listener = await createListener(probot, app, { timed: metrics.timed, trust_proxy, large });
  closing.splice(1, 0, () => thread.stop());

  // what an earlier process has left to send is known before anything is announced again
  await notify.start();
  closing.splice(1, 0, () => notify.stop());
  await engine.start();
  closing.splice(1, 0, () => engine.stop());
  // streams would go on for ever, and the gate waits for every answer
  closing.unshift(async () => logs.stop());
  gate.open(listener);
  log.info(startLine(settings, gate), "Journeyman is ready");
  if (settings.webhook_proxy_url !== null) {
    closing.unshift(await receiveFromProxy(settings.webhook_proxy_url, gate.url, log));
  }
  return { engine, store };
}

function signInOf({ github_client, public_url, github_web_url, github_api_url }: Settings, log: Logger): SignIn | null {
  if (github_client === null || public_url === null) return null;
  return createSignIn({
    client_id: github_client.id,
    client_secret: github_client.secret,
    redirect_uri: `${public_url}/keys/callback`,
    web_url: github_web_url,
    api_url: github_api_url,
    kept: (error) => log.warn({ err: error }, "GitHub did not take back a token of somebody who signed in"),
  });
}

/** The log of a job, with what its running try has told so far. */
const logSeen = (lines: RunLines, stored: StoredJob | null): StoredJob["log"] =>
  stored === null ? [] : lines.viewed(stored).log;

/** Without an address there is no audience that a token could name. */
const runTokensOf = (
  { public_url, oidc_issuer: issuer }: Settings,
  { now, wall = now }: Clock,
  ahead: () => number,
): RunTokens | null =>
  public_url === null ? null : createRunTokens({ issuer, audience: public_url, now, wall: () => wall() + ahead() });

/** At debug Probot logs every request to GitHub with its body, a task's text among them: it must not come to that. */
const withoutBodies = (log: Logger): Logger => (log.isLevelEnabled("debug") ? log.child({}, { level: "info" }) : log);

interface Connection extends Pick<Octokits, "budget" | "ahead"> {
  readonly probot: Probot;
  readonly source: OctokitSource;
}

function connectGitHub(settings: Settings, log: Logger, { now }: Clock): Connection {
  const octokits = createOctokits(now);
  const probot = new Probot({
    appId: settings.app_id,
    privateKey: settings.private_key.reveal(),
    secret: settings.webhook_secret.reveal(),
    baseUrl: settings.github_api_url,
    Octokit: octokits.Octokit,
    log: withoutBodies(log),
  });
  return { probot, source: octokits.source(probot), budget: octokits.budget, ahead: octokits.ahead };
}

interface Ear {
  readonly self: () => { readonly appId: number; readonly slug: string };
  readonly hear: (event: string, payload: unknown) => TranslatedEvent;
}

/**
 * Knows our own doings from those of others as soon as GitHub has told our name. Until then ours are looked at like
 * anybody's, which costs a needless look and no more, so a server whose GitHub is away starts all the same.
 */
function createEar(appId: number, self: () => Promise<{ readonly slug: string }>, log: Logger): Ear {
  let slug = "";
  let asked_at = Number.NEGATIVE_INFINITY;
  const learn = (): void => {
    const now = systemClock.now();
    if (now - asked_at < ASK_AGAIN_MS) return;
    asked_at = now;
    self().then(
      (known) => {
        slug = known.slug;
      },
      (error: unknown) => log.debug({ err: error }, SELF_UNKNOWN),
    );
  };
  learn();
  const known = (): { readonly appId: number; readonly slug: string } => {
    if (slug === "") learn();
    return { appId, slug };
  };
  return { self: known, hear: (event, payload) => translateWebhook(event, payload, known()) };
}

interface CashierParts extends Pick<Metrics, "notBooked"> {
  readonly url: string;
  readonly log: Logger;
}

/** Stripe's library is loaded where it is used alone. */
async function cashierOf(settings: Settings, { url, log, notBooked }: CashierParts): Promise<PaymentProvider | null> {
  if (settings.stripe === null) return null;
  const { createStripeProvider } = await import("../payments/stripe.ts");
  return createStripeProvider(settings.stripe, settings.public_url ?? url, log, notBooked);
}

/** While GitHub does not answer, it is not asked more often than this. */
const ASK_AGAIN_MS = 30_000;
const SELF_UNKNOWN = "GitHub does not say which App this is";

function appOf(parts: {
  readonly settings: Settings;
  readonly store: Store;
  readonly engine: Engine;
  readonly githubClient: GitHubClient;
  readonly hear: (event: string, payload: unknown) => TranslatedEvent;
  readonly clock: Clock;
  readonly paymentProvider: PaymentProvider | null;
  readonly log: Logger;
  readonly logs: LiveLogs;
  readonly thread: BodyThread;
  readonly runs: Pick<RouteParts, "lines" | "run_tokens" | "push_tokens">;
  readonly notify: OutgoingWebhooks;
  readonly record: Recorder;
  readonly metrics: Metrics;
}): ApplicationFunction {
  const { settings, store, engine, githubClient, log, clock, record, metrics, paymentProvider } = parts;
  const { now } = clock;
  const authThrottle = createAuthThrottle(now);
  const { default_repository, github_web_url, public_url, cron_secret } = settings;
  const routes: RouteParts = {
    authentication: authentication({
      ...{ keys: store.keys, repositories: store.repositories, record, authThrottle, now },
      api_key: settings.api_key?.reveal() ?? null,
    }),
    ...store,
    thread: parts.thread,
    ...parts.runs,
    ...{ logs: parts.logs, metrics },
    ...{ service: engine, githubClient, default_repository, log, now, clock },
    ...{ webhooks: parts.notify.webhooks, authThrottle, record, sign_in: signInOf(settings, log) },
    ...{ github_web_url, public_url, default_model: fitToModel(settings.llm, dayOf(now())).model },
    ...{ box: createSealedBox(settings), paymentProvider, cron_secret },
  };
  return createApp({
    hear: parts.hear,
    service: engine,
    log,
    routes: (router) => apiRoutes(router, routes),
  });
}
