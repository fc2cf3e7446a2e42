/** `GET /api/jobs/status`: how a job of the create-job dialect stands, from the store alone. GitHub is never asked. */
import type { Request } from "express";
import type { JobStore } from "../engine/ports.ts";
import { asJobId } from "../job/job.ts";
import { type Answer, failure, success } from "./answer.ts";
import { principalOf, sees } from "./auth.ts";
import { createJobView } from "./create-job-status.ts";

export const STATUS_FAILED = "Failed to get job status";

/** Raise when the same record begins to read differently, so that kept answers are not taken for fresh ones. */
const VIEW_VERSION = 1;

export const jobStatus =
  (parts: { readonly jobs: JobStore }) =>
  async (request: Request): Promise<Answer> => {
    const given = request.query.job_id;
    if (typeof given !== "string" || given === "") {
      return failure(400, "missing_job_id", "job_id: is missing; name the job in the query, as in ?job_id=abc12345.");
    }
    const id = asJobId(given);
    const stored = id === null ? null : await parts.jobs.load(id);
    if (stored === null || !sees(principalOf(request), stored.job)) {
      return failure(404, "not_found", "There is no such job, or this key may not see it.");
    }
    const tag = `"${VIEW_VERSION}.${stored.version}"`;
    const headers = { ETag: tag, "Cache-Control": "private, no-cache" };
    if (request.headers["if-none-match"] === tag) return { status: 304, headers };
    return success(200, createJobView(stored), headers);
  };
