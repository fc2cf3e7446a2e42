/**
 * Wires the server from its settings and starts it. Tests and benches use it as well and override what they must; Actions
 * mode uses `compose/engine.ts` without the HTTP side.
 */
import { performance } from "node:perf_hooks";
import type { ApplicationFunction, Logger } from "probot";
import { VERSION } from "../contracts/version.ts";
import { createAccountBudgets } from "../engine/account-budgets.ts";
import { createRecorder } from "../engine/audit-record.ts";
import { systemClock } from "../engine/clock.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { PaymentProvider } from "../engine/ports/payments.ts";
import type { RunTokens } from "../engine/ports/runs.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type { Engine } from "../engine/ports/service.ts";
import type { Store } from "../engine/ports/store.ts";
import { watchCredentials } from "../github/client/app-credentials.ts";
import { createRunTokens } from "../github/client/run-tokens.ts";
import { createMetrics, type Metrics } from "../http/admin/metrics.ts";
import type { Route } from "../http/routing/route.ts";
import { createBodyThread } from "../http/server/body-thread.ts";
import { type EarlyListener, listenEarly } from "../http/server/bootstrap.ts";
import { receiveFromProxy } from "../http/server/webhook-proxy.ts";
import { createLiveLogs } from "../job-log/live-logs.ts";
import { createEstimator } from "../llm/estimator.ts";
import { createJudge } from "../llm/judge.ts";
import { openModel } from "../llm/model.ts";
import { openLowdbStore } from "../store/lowdb/open.ts";
import { createOutgoingWebhooks } from "../webhooks/webhooks.ts";
import { type Api, composeApi } from "./compose/api.ts";
import { composeEngine } from "./compose/engine.ts";
import { connectGitHub, type GitHub } from "./compose/github.ts";
import { createLog, flushed } from "./log.ts";
import { createSealedBox } from "./seal.ts";
import type { Settings } from "./settings.ts";

export interface Composition {
  readonly url: string;
  readonly port: number;
  readonly engine: Engine;
  readonly store: Store;
  readonly app: ApplicationFunction;
  readonly routes: readonly Route[];
  /** Finishes what is under way and closes everything; logs the reason, and what is left for the next start. */
  stop(reason?: string): Promise<void>;
}

/** What takes the place of a part that the settings lead to. */
export interface Overrides {
  readonly log?: Logger;
  /** Unless given, real time. */
  readonly clock?: Clock;
  /** Listening already, so that no request is refused while the rest loads. */
  readonly earlyListener?: EarlyListener;
  readonly github?: GitHub;
  readonly paymentProvider?: PaymentProvider;
  readonly run_tokens?: RunTokens;
}

/** The program of the thread for large bodies: a file beside this one, or, where this is a chunk of a bundle, beside that. */
const BODY_THREAD = new URL(
  import.meta.filename.endsWith(".ts") ? "./body-thread.ts" : "../../body-thread.js",
  import.meta.url,
);

/** Resolves when requests are answered. */
export async function compose(settings: Settings, overrides: Overrides = {}): Promise<Composition> {
  const log = overrides.log ?? (await createLog(settings.log));
  const earlyListener = overrides.earlyListener ?? (await listenEarly(settings));
  const stack = new AsyncDisposableStack();
  // for a start that fails; one that succeeds closes it earlier
  stack.defer(() => earlyListener.close());
  try {
    const started = await start(
      settings,
      { ...overrides, log, earlyListener, clock: overrides.clock ?? systemClock },
      stack,
    );
    const stop = async (reason = "asked to"): Promise<void> => {
      const begun = performance.now();
      await stack.disposeAsync();
      const ms = Math.round(performance.now() - begun);
      log.info({ reason, ms, ...(await leftIn(started.store)) }, "Journeyman has stopped");
      await flushed(log);
    };
    return { ...started, url: earlyListener.url, port: earlyListener.port, stop };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What the next start finds. */
async function leftIn({ jobs, inbox }: Store): Promise<object> {
  const { pending: effects_pending } = await jobs.counts();
  const { count: deliveries_pending } = await inbox.backlog();
  return { effects_pending, deliveries_pending };
}

/** What runs here, for whoever reads the log later. */
const startLine = (settings: Settings, { url, port }: EarlyListener): object => ({
  ...{ version: VERSION, node: process.version, mode: "server", store: "lowdb", data: settings.data_dir },
  ...{ url, port, public_url: settings.public_url, github: settings.github_web_url },
  model: `${settings.llm.provider}/${settings.llm.model}`,
});

type Given = Overrides & Required<Pick<Overrides, "log" | "clock" | "earlyListener">>;
type Started = Pick<Composition, "engine" | "store" | "app" | "routes">;

/** The stack closes in the opposite order: requests first, then answers under way, the engine, and the store last. */
async function start(settings: Settings, given: Given, stack: AsyncDisposableStack): Promise<Started> {
  const { log, earlyListener, clock } = given;
  const store = await openLowdbStore({
    ...{ dir: settings.data_dir, ...clock, deliveries_kept_days: settings.deliveries_kept_days },
  });
  stack.defer(() => store.close());
  const github = given.github ?? connectGitHub(settings, log, clock);
  const parts = partsOf(settings, { store, github, ...given });
  const { record, box, metrics, outgoing, credentials } = parts;
  stack.defer(async () => credentials.stop());
  credentials.start();
  const engine = engineOf(settings, { store, github, ...given, ...parts });
  const logs = createLiveLogs({ jobs: store.jobs, jobLog: store.jobLog, service: engine, clock, log });
  const thread = createBodyThread(BODY_THREAD, settings.webhook_secret.reveal());
  stack.defer(() => thread.stop());
  const { listener, ...api }: Api = await composeApi(settings, {
    ...{ store, github, service: engine, webhooks: outgoing.webhooks, logs, metrics, box, record },
    ...{ clock, thread, log, messages: earlyListener.messages },
    run_tokens: given.run_tokens ?? runTokensOf(settings, clock, github.ahead),
    paymentProvider:
      given.paymentProvider ?? (await paymentProviderOf(settings, earlyListener.url, log, metrics.notBooked)),
  });

  // what an earlier process has left to send is known before new events are published
  await outgoing.start();
  stack.defer(() => outgoing.stop());
  await engine.start();
  stack.defer(() => engine.stop());
  stack.defer(() => earlyListener.close());
  // streams would go on for ever, and closing the listener waits for every answer
  stack.defer(async () => logs.stop());
  earlyListener.open(listener);
  log.info(startLine(settings, earlyListener), "Journeyman is ready");
  if (settings.webhook_proxy_url !== null)
    stack.defer(await receiveFromProxy(settings.webhook_proxy_url, earlyListener.url, log));
  return { engine, store, ...api };
}

type Wired = Pick<Given, "log" | "clock"> & { readonly store: Store; readonly github: GitHub };
type Parts = ReturnType<typeof partsOf>;

/** What stands on the store and on GitHub, and on nothing else. */
function partsOf(settings: Settings, { log, clock, store, github }: Wired) {
  const record: Recorder = createRecorder({ audit: store.audit, clock, log });
  const box: SealedBox = createSealedBox(settings);
  const { subscriptions, outgoing } = store;
  return {
    ...{ record, box },
    metrics: createMetrics({ ...store, budget: github.budget, now: clock.now }),
    outgoing: createOutgoingWebhooks({
      ...{ subscriptions, outgoing, box, clock, log, record },
      allow_private: settings.webhook_allow_private,
      web_url: settings.github_web_url,
    }),
    credentials: watchCredentials({
      ...{ self: github.identity, ask: github.checkCredentials },
      ...{ app_id: settings.app_id, clock, log },
    }),
  };
}

function engineOf(settings: Settings, { log, clock, store, github, ...parts }: Wired & Parts): Engine {
  const { record, metrics, outgoing, credentials } = parts;
  const { quotas, public_url, offers_set_up, kept_days } = settings;
  const model = openModel({ ...settings.llm, ...settings.anthropic }, log, clock.now);
  const llm = { ...settings.llm, listed: () => model?.listed() ?? null };
  return composeEngine(
    { llm, quotas, public_url, offers_set_up, kept_days },
    {
      account_budgets: createAccountBudgets(store.accountLimits, settings.account_limits),
      ...{ store, github, clock, log, record, meter: metrics.meter, publishing: outgoing },
      estimator: createEstimator(model),
      judge: model === null ? null : createJudge(model),
      credentialState: credentials.credentialStatus,
    },
  );
}

/** Without an address there is no audience that a token could name. */
const runTokensOf = (
  { public_url, oidc_issuer: issuer }: Settings,
  { now, wall = now }: Clock,
  ahead: () => number,
): RunTokens | null =>
  public_url === null ? null : createRunTokens({ issuer, audience: public_url, now, wall: () => wall() + ahead() });

/** Stripe's library is loaded only where it is used. */
async function paymentProviderOf(
  settings: Settings,
  url: string,
  log: Logger,
  notBooked: Metrics["notBooked"],
): Promise<PaymentProvider | null> {
  if (settings.stripe === null) return null;
  const { createStripeProvider } = await import("../payments/stripe.ts");
  return createStripeProvider(settings.stripe, settings.public_url ?? url, log, notBooked);
}
