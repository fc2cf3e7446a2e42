/** All routes of the API, put on a router with what stands before and behind them. */
import type { ErrorRequestHandler, Router } from "express";
import type { JobStore } from "../engine/ports.ts";
import { addressErrors } from "./address-errors.ts";
import type { AgentV2Parts } from "./agent-v2.ts";
import { agentV2Routes } from "./agent-v2-routes.ts";
import { nothingHere, sendInternal } from "./answer.ts";
import { bodyErrors } from "./body.ts";
import { type CreateJobParts, createJob } from "./create-job.ts";
import { inTurn } from "./in-turn.ts";
import { type JobLogParts, jobLogs } from "./job-logs.ts";
import { jobStatus } from "./job-status.ts";
import { type CronParts, enforceDeadlines } from "./cron.ts";
import { type KeyParts, keyRoutes } from "./keys.ts";
import { type AgentParts, agentRoutes } from "./market-agents.ts";
import { type MarketJobParts, marketJobRoutes } from "./market-jobs.ts";
import { reviewRoutes } from "./market-review.ts";
import { type RunParts, runJob } from "./market-run.ts";
import { marketWorkRoutes, type WorkParts } from "./market-work.ts";
import { type AuditParts, auditRoute } from "./audit.ts";
import { ownKeyRoutes } from "./own-key.ts";
import { type MountParts, mount } from "./mount.ts";
import { requestLog } from "./request-log.ts";
import type { Route } from "./route.ts";
import { stripeWebhook } from "./stripe-webhook.ts";
import { type WalletParts, walletRoutes } from "./wallet.ts";
import type { WebhookParts } from "./webhook-access.ts";
import { deliveryRoutes } from "./webhook-deliveries.ts";
import { webhookRoutes } from "./webhooks.ts";

export interface MarketParts extends RunParts, MarketJobParts, WorkParts, AgentParts, WalletParts, CronParts {
  readonly door: RunParts["door"] & MarketJobParts["door"] & WorkParts["door"] & CronParts["door"];
  readonly jobs: JobStore;
  readonly parcels: WorkParts["parcels"];
  readonly wallet: WalletParts["wallet"];
}

interface OtherParts extends CreateJobParts, KeyParts, AuditParts, AgentV2Parts, JobLogParts, WebhookParts, MountParts {
  readonly door: CreateJobParts["door"] & MountParts["door"];
  readonly jobs: JobStore;
  readonly webhooks: WebhookParts["webhooks"];
}

export interface RouteParts extends OtherParts, MarketParts {
  readonly door: CreateJobParts["door"] & MountParts["door"] & MarketParts["door"];
  readonly jobs: JobStore;
  readonly webhooks: WebhookParts["webhooks"];
}

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
export const allRoutes = (parts: RouteParts): readonly Route[] => [
  jobStatus(parts),
  createJob(parts),
  jobLogs(parts),
  ...webhookRoutes(parts),
  ...deliveryRoutes(parts),
  ...ownKeyRoutes(parts),
  ...keyRoutes(parts),
  auditRoute(parts),
  ...agentV2Routes(parts),
  ...marketRoutes(parts),
];

/** On a router at the root: one below a path would cost each request another match. */
export function apiRoutes(router: Router, parts: RouteParts): void {
  const { log } = parts;
  const arrival = requestLog(log);
  mount(router, allRoutes(parts), parts, arrival);

  const internal: ErrorRequestHandler = (error, request, response, _next) => {
    sendInternal(request, response, log, error, "Internal error");
  };
  router.use(["/api", "/v2"], inTurn(arrival, nothingHere));
  router.use(bodyErrors, addressErrors, internal);
}
