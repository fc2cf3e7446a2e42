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
import { type KeyParts, keyRoutes } from "./keys.ts";
import { type MountParts, mount } from "./mount.ts";
import { requestLog } from "./request-log.ts";
import type { Route } from "./route.ts";

export interface RouteParts extends CreateJobParts, KeyParts, AgentV2Parts, JobLogParts, MountParts {
  readonly door: CreateJobParts["door"] & MountParts["door"];
  readonly jobs: JobStore;
}

/** The ones that are asked most stand first: Express looks through them in this order. */
export const allRoutes = (parts: RouteParts): readonly Route[] => [
  jobStatus(parts),
  createJob(parts),
  jobLogs(parts),
  ...keyRoutes(parts),
  ...agentV2Routes(parts),
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
