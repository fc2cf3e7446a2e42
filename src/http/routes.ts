/** The routes of the API on a router: which handler answers where, for whom, and within which limits. */
import type { ErrorRequestHandler, Router } from "express";
import type { JobStore, Scope } from "../engine/ports.ts";
import { addressErrors } from "./address-errors.ts";
import type { AgentV2Parts } from "./agent-v2.ts";
import { agentV2Routes } from "./agent-v2-routes.ts";
import { answering, nothingHere, sendInternal } from "./answer.ts";
import type { Authentication } from "./auth.ts";
import { bodyErrors, jsonBody } from "./body.ts";
import { CREATE_FAILED, type CreateJobParts, createJob } from "./create-job.ts";
import { type IdempotencyParts, idempotency } from "./idempotency.ts";
import { inTurn } from "./in-turn.ts";
import { jobStatus, STATUS_FAILED } from "./job-status.ts";
import { createKey, type KeyParts, listKeys, revokeKey } from "./keys.ts";
import { writeLimit } from "./limits.ts";
import { requestLog } from "./request-log.ts";

export interface RouteParts extends CreateJobParts, KeyParts, AgentV2Parts, IdempotencyParts {
  readonly door: CreateJobParts["door"] & IdempotencyParts["door"];
  readonly authentication: Authentication;
  readonly jobs: JobStore;
}

/** On a router at the root: one below a path would cost each request another match. */
export function apiRoutes(router: Router, parts: RouteParts): void {
  const { log } = parts;
  const arrival = requestLog(log);
  const read = (scope: Scope) => [arrival, parts.authentication.require(scope)];
  // the key is known before the body is read, and counted before it is parsed
  const limit = writeLimit();
  const write = (scope: Scope) => [...read(scope), limit];
  const body = jsonBody();
  const repeatable = idempotency(parts);
  const create = repeatable("POST /api/create-job", createJob(parts));

  router.get("/api/jobs/status", inTurn(...read("read"), answering(jobStatus(parts), log, STATUS_FAILED)));
  router.post("/api/create-job", inTurn(...write("write"), body, answering(create, log, CREATE_FAILED)));
  router.post("/api/keys", inTurn(...write("admin"), body, answering(createKey(parts), log)));
  router.get("/api/keys", inTurn(...read("admin"), answering(listKeys(parts), log)));
  router.delete("/api/keys/:id", inTurn(...write("admin"), answering(revokeKey(parts), log)));
  agentV2Routes(router, parts, { read: read("read"), write: [...write("write"), body], repeatable });

  const internal: ErrorRequestHandler = (error, request, response, _next) => {
    sendInternal(request, response, log, error, "Internal error");
  };
  router.use(["/api", "/v2"], inTurn(arrival, nothingHere));
  router.use(bodyErrors, addressErrors, internal);
}
