/** `GET /api/jobs/status`: the status of a job of the create-job dialect, from the store alone. Does not ask GitHub. */
import * as z from "zod";
import { canReadAsSender } from "../../../domain/access.ts";
import { asJobId } from "../../../domain/job/job.ts";
import type { JobLog, NewestLog } from "../../../engine/ports/job-log.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, success } from "../../routing/answer.ts";
import { type Route, route } from "../../routing/route.ts";
import { createJobView, createJobViewSchema } from "./status-view.ts";

/** Raise when the same record begins to read differently, so that kept answers are not taken for fresh ones. */
const VIEW_VERSION = 3;

const MISSING_JOB_ID = failure(
  400,
  "missing_job_id",
  "job_id: is missing; name the job in the query, as in ?job_id=abc12345.",
);

const NO_LOG: NewestLog = { nth: 0, lines: [] };

export interface JobStatusParts {
  readonly jobs: JobStore;
  readonly jobLog: Pick<JobLog, "read">;
}

export const jobStatus = (parts: JobStatusParts): Route =>
  route({
    method: "get",
    path: "/api/jobs/status",
    operation: "getJobStatus",
    group: "create-job",
    summary: "How a job stands",
    about: "Answered from the server's own records: ask as often as you like. An `ETag` sent back costs nothing.",
    scope: "read",
    failed: "Failed to get job status",
    query: z.strictObject({ job_id: z.string().meta({ description: "As create-job answered it." }) }),
    example: { query: { job_id: "ab12cd34" } },
    answers: {
      200: {
        about: "How it stands now.",
        schema: createJobViewSchema,
        example: {
          ...{ status: "running", outcome: null, question: null, branch: "job/ab12cd34", pr_url: null, log: null },
          changed_files: [],
          run_url: "https://github.com/octocat/hello-world/actions/runs/1",
        },
        headers: { ETag: "Of this state of the job." },
      },
      304: { about: "Nothing has changed since the `ETag` that came as `If-None-Match`." },
      400: { about: "The query names no job.", codes: ["missing_job_id"] },
      404: { about: "No such job, or not one that this key may see.", codes: ["not_found"] },
    },
    precheck: (_request, { job_id }) => (typeof job_id === "string" && job_id !== "" ? null : MISSING_JOB_ID),
    async work({ request, query }) {
      const id = asJobId(query.job_id);
      if (id !== null) request.about_job = id;
      const stored = id === null ? null : await parts.jobs.load(id);
      if (stored === null || !canReadAsSender(principalOf(request), stored.job)) {
        return failure(404, "not_found", "There is no such job, or this key may not see it.");
      }
      const { nth, lines } = (await parts.jobLog.read(stored.job.id)) ?? NO_LOG;
      // lines are in no version of the record
      const tag = `"${VIEW_VERSION}.${stored.version}.${nth}.${lines.at(-1)?.seq ?? 0}"`;
      const headers = { ETag: tag, "Cache-Control": "private, no-cache" };
      if (request.headers["if-none-match"] === tag) return { status: 304, headers };
      return success(200, createJobView(stored.job, lines), headers);
    },
  });
