/** `GET /api/jobs/{id}/logs`: streams what happens to a job as server-sent events. `src/job-log` writes the stream. */
import * as z from "zod";
import { canRead, type Principal } from "../../../domain/access.ts";
import { asJobId, type Job } from "../../../domain/job/job.ts";
import type { JobStore } from "../../../engine/ports/jobs.ts";
import type { KeyStore } from "../../../engine/ports/keys.ts";
import type { LiveLogs } from "../../../engine/ports/live-logs.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, type HttpResult, streaming } from "../../routing/answer.ts";
import { type Route, route } from "../../routing/route.ts";
import { NO_JOB } from "./access.ts";

export interface JobLogParts {
  readonly jobs: Pick<JobStore, "load">;
  readonly keys: Pick<KeyStore, "lives">;
  readonly logs: LiveLogs;
  readonly now: () => number;
}

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-cache, no-transform",
  // proxies that collect answers before they pass them on would make it a log of the past
  "X-Accel-Buffering": "no",
};

const TOO_MANY = failure(
  429,
  "too_many_readers",
  "Too many logs are being followed; close one, or try again in a minute.",
  { "Retry-After": "60" },
);
const STOPPING = failure(503, "stopping", "The server is stopping; try again in a second.", { "Retry-After": "1" });

const EXAMPLE = [
  "id: 4.0.0",
  "event: history",
  'data: {"at":"2030-01-31T12:00:00.000Z","event":"submitted","from":"accepted","to":"submitted","by":"a1","note":null,"outcome":null}',
  "",
  "",
].join("\n");

async function follow(parts: JobLogParts, principal: Principal, id: string, after: string | null): Promise<HttpResult> {
  const job_id = asJobId(id);
  const stored = job_id === null ? null : await parts.jobs.load(job_id);
  const may = (job: Job): boolean => canRead(principal, job, parts.now());
  if (stored === null || !may(stored.job)) return NO_JOB;
  const { account, key_id } = principal;
  const stands = (): boolean => key_id === null || parts.keys.lives(key_id, parts.now());
  const opened = await parts.logs.open(stored, { account, after, may, stands });
  switch (opened.kind) {
    case "follow":
      return streaming(HEADERS, opened.begin);
    case "read":
      return { status: 204 };
    case "too_many":
      return TOO_MANY;
    case "stopping":
      return STOPPING;
    default:
      return opened satisfies never;
  }
}

export const jobLogs = (parts: JobLogParts): Route =>
  route({
    method: "get",
    path: "/api/jobs/{id}/logs",
    operation: "followJobLogs",
    group: "market",
    summary: "Follow a job's log",
    about:
      "Server-sent events: `history` (a change of status, what the checks and the judge say), `log` (a line of the " +
      "agent's) and, when the job is over, `end`. Send the last `id` as `Last-Event-ID` to go on from there, also after " +
      "a restart of the server. For the job's sender, its holder and its worker.",
    scope: "read",
    params: z.object({ id: z.string().meta({ description: "The job's." }) }),
    example: { params: { id: "ab12cd34" } },
    answers: {
      200: { about: "The events, as they happen.", type: "text/event-stream", schema: z.string(), example: EXAMPLE },
      204: { about: "The job is over, and `Last-Event-ID` is its last event." },
      404: { about: "No such job, or not one that this key may see.", codes: ["not_found"] },
      429: { about: "Too many logs are being followed with this account's keys.", codes: ["too_many_readers"] },
      503: { about: "The server is stopping.", codes: ["stopping"] },
    },
    work({ request, params }) {
      const after = request.headers["last-event-id"];
      return follow(parts, principalOf(request), params.id, typeof after === "string" ? after : null);
    },
  });
