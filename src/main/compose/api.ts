/** Wires the HTTP side: the services of the routes, the Probot app and the listener in front of it. */
import type { RequestListener } from "node:http";
import type { ApplicationFunction, Logger } from "probot";
import { createApp, deliveryRecorder } from "../../app.ts";
import { dayOf, fitToModel } from "../../contracts/model-choice.ts";
import type { Store } from "../../engine/ports/store.ts";
import { allRoutes, mountApi } from "../../http/api.ts";
import { authentication } from "../../http/middleware/auth.ts";
import { createAuthThrottle } from "../../http/middleware/wrong-key-throttling.ts";
import type { Route } from "../../http/routing/route.ts";
import { isSigned } from "../../http/server/large-body.ts";
import { createListener } from "../../http/server/listener.ts";
import type { MessageClasses } from "../../http/server/message-classes.ts";
import type { ApiServices } from "../../http/services.ts";
import { warnOfSignature } from "../log.ts";
import type { Settings } from "../settings.ts";
import { createEventTranslator, type GitHub, signInOf } from "./github.ts";

type Running =
  | ("service" | "webhooks" | "logs" | "metrics" | "box" | "record" | "clock" | "thread")
  | ("run_tokens" | "paymentProvider");

export interface ApiNeeds extends Pick<ApiServices, Running> {
  readonly store: Store;
  readonly github: GitHub;
  readonly log: Logger;
  readonly messages: MessageClasses;
}

export interface Api {
  readonly app: ApplicationFunction;
  readonly routes: readonly Route[];
  readonly listener: RequestListener;
}

function servicesOf(
  settings: Settings,
  { store, github, ...running }: ApiNeeds,
  app_slug: ApiServices["app_slug"],
): ApiServices {
  const { clock, record, log } = running;
  const { now } = clock;
  const authThrottle = createAuthThrottle(now);
  const { cron_secret, default_repository, github_web_url, public_url } = settings;
  return {
    ...store,
    ...running,
    ...{ now, authThrottle, app_slug, cron_secret, default_repository, github_web_url, public_url },
    githubClient: github.client,
    push_tokens: github.pushTokens,
    usual_account_limits: settings.account_limits,
    authentication: authentication({
      ...{ keys: store.keys, repositories: store.repositories, record, authThrottle, now },
      api_key: settings.api_key?.reveal() ?? null,
    }),
    sign_in: signInOf(settings, log),
    default_model: fitToModel(settings.llm, dayOf(now())).model,
  };
}

export async function composeApi(settings: Settings, needs: ApiNeeds): Promise<Api> {
  const { github, log, service, thread, metrics, messages } = needs;
  const { self, translate } = createEventTranslator(settings.app_id, github.identity, log);
  const services = servicesOf(settings, needs, () => self().slug);
  const routes = allRoutes(services);
  const app = createApp({ ...{ translate, service, log }, routes: (router) => mountApi(router, routes, services) });
  const secret = settings.webhook_secret.reveal();
  const listener = await createListener(github.probot, app, {
    timed: metrics.timed,
    messages,
    trust_proxy: settings.trust_proxy,
    deliveries: {
      isSigned: (parts, signature) => isSigned(parts, signature, secret),
      ...{ thread, self, act: deliveryRecorder({ service, log }) },
      forged: (id) => warnOfSignature(log, id),
    },
  });
  return { app, routes, listener };
}
