/** The routes of the API on a router: which handler answers where, for whom, and within which limits. */
import type { ErrorRequestHandler, Router } from "express";
import type { JobStore } from "../engine/ports.ts";
import { answering, nothingHere, sendInternal } from "./answer.ts";
import type { Authentication } from "./auth.ts";
import { bodyErrors, jsonBody } from "./body.ts";
import { CREATE_FAILED, type CreateJobParts, createJob } from "./create-job.ts";
import { securityHeaders } from "./headers.ts";
import { jobStatus, STATUS_FAILED } from "./job-status.ts";
import { createKey, type KeyParts, listKeys, revokeKey } from "./keys.ts";
import { writeLimit } from "./limits.ts";
import { requestLog } from "./request-log.ts";

export interface RouteParts extends CreateJobParts, KeyParts {
  readonly authentication: Authentication;
  readonly jobs: JobStore;
}

export function apiRoutes(router: Router, parts: RouteParts): void {
  const { authentication, log } = parts;
  const body = jsonBody();
  const limit = writeLimit();
  router.use(requestLog(log), securityHeaders);

  router.get("/jobs/status", authentication.require("read"), answering(jobStatus(parts), log, STATUS_FAILED));
  router.post(
    "/create-job",
    authentication.require("write"),
    limit,
    body,
    answering(createJob(parts), log, CREATE_FAILED),
  );

  const admin = authentication.require("admin");
  router.post("/keys", admin, limit, body, answering(createKey(parts), log));
  router.get("/keys", admin, answering(listKeys(parts), log));
  router.delete("/keys/:id", admin, limit, answering(revokeKey(parts), log));

  const internal: ErrorRequestHandler = (error, request, response, _next) => {
    sendInternal(request, response, log, error, "Internal error");
  };
  router.use(nothingHere, bodyErrors, internal);
}
