/** All routes of the API, put on a router with what stands before and behind them. */
import type { ErrorRequestHandler, Router } from "express";
import type { JobStore } from "../engine/ports/jobs.ts";
import { type AuditParts, auditRoute } from "./admin/audit.ts";
import { type KeyParts, keyRoutes } from "./admin/keys.ts";
import type { Metrics } from "./admin/metrics.ts";
import { ownKeyRoutes } from "./admin/own-key.ts";
import type { WebhookParts } from "./admin/webhook-access.ts";
import { deliveryRoutes } from "./admin/webhook-deliveries.ts";
import { webhookRoutes } from "./admin/webhooks.ts";
import type { AgentV2Parts } from "./dialects/agent-v2/calls.ts";
import { agentV2Routes } from "./dialects/agent-v2/routes.ts";
import { type CreateJobParts, createJob } from "./dialects/create-job/create-job.ts";
import { type JobStatusParts, jobStatus } from "./dialects/create-job/job-status.ts";
import { type AgentParts, agentRoutes } from "./dialects/market/agents.ts";
import { type CronParts, enforceDeadlines } from "./dialects/market/enforce-deadlines.ts";
import { type JobLogParts, jobLogs } from "./dialects/market/job-logs.ts";
import { type MarketJobParts, marketJobRoutes } from "./dialects/market/jobs.ts";
import { reviewRoutes } from "./dialects/market/review.ts";
import { type RunParts, runJob } from "./dialects/market/run.ts";
import { stripeWebhook } from "./dialects/market/stripe-webhook.ts";
import { type WalletParts, walletRoutes } from "./dialects/market/wallet.ts";
import { marketWorkRoutes, type WorkParts } from "./dialects/market/work.ts";
import { type RunRouteParts, runRoutes } from "./dialects/runs/runs.ts";
import { pages } from "./pages/pages.ts";
import { nothingHere, sendInternal } from "./routing/answer.ts";
import { bodyErrors } from "./routing/body.ts";
import { type MountParts, mount } from "./routing/mount.ts";
import type { Route } from "./routing/route.ts";
import { addressErrors } from "./server/address-errors.ts";
import { inTurn } from "./server/in-turn.ts";
import { NO_ROUTE, requestLog } from "./server/request-log.ts";
import { type ServerParts, serverRoutes } from "./server/server-routes.ts";
import { type SignInRouteParts, signInRoutes } from "./sign-in/sign-in.ts";

export interface MarketParts extends RunParts, MarketJobParts, WorkParts, AgentParts, WalletParts, CronParts {
  readonly service: RunParts["service"] &
    MarketJobParts["service"] &
    WalletParts["service"] &
    WorkParts["service"] &
    CronParts["service"];
  readonly jobs: JobStore;
  readonly parcels: WorkParts["parcels"];
  readonly wallet: WalletParts["wallet"];
}

type KeyedParts = KeyParts & AuditParts & SignInRouteParts & MountParts;
type JobParts = CreateJobParts & AgentV2Parts & JobLogParts & JobStatusParts & RunRouteParts & WebhookParts;

export type RouteParts = KeyedParts &
  JobParts &
  MarketParts &
  ServerParts & { readonly metrics: Pick<Metrics, "exposition" | "timed"> };

const marketRoutes = (parts: MarketParts): readonly Route[] => [
  runJob(parts),
  ...marketWorkRoutes(parts),
  ...marketJobRoutes(parts),
  ...reviewRoutes(parts),
  ...agentRoutes(parts),
  ...walletRoutes(parts),
  stripeWebhook(parts),
  enforceDeadlines(parts),
];

/** The ones that are asked most stand first: Express looks through them in this order. */
export function allRoutes(parts: RouteParts): readonly Route[] {
  const routes: readonly Route[] = [
    jobStatus(parts),
    ...runRoutes(parts),
    createJob(parts),
    jobLogs(parts),
    ...webhookRoutes(parts),
    ...deliveryRoutes(parts),
    ...ownKeyRoutes(parts),
    ...keyRoutes(parts),
    auditRoute(parts),
    ...agentV2Routes(parts),
    ...marketRoutes(parts),
    ...serverRoutes(parts, () => routes),
  ];
  return routes;
}

/** On a router at the root: one below a path would cost each request another match. */
export function apiRoutes(router: Router, parts: RouteParts): void {
  const { log, metrics } = parts;
  const arrival = requestLog(log, metrics.timed);
  mount(router, allRoutes(parts), parts, arrival);
  pages(router, arrival);
  signInRoutes(router, parts, arrival);

  const unknown = arrival(NO_ROUTE);
  /** An address that cannot be read has reached no route. */
  const arriving: ErrorRequestHandler = (error, request, response, next) =>
    unknown(request, response, () => next(error));
  const internal: ErrorRequestHandler = (error, request, response, _next) => {
    sendInternal(request, response, log, error, "Internal error");
  };
  router.use(inTurn(unknown, nothingHere));
  router.use(arriving, bodyErrors, addressErrors, internal);
}
