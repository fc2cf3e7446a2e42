/**
 * Routes for the workflow runs of jobs: log lines as they come, and the result right before the push, answered with a
 * token for it. A result takes effect when the run has ended.
 */
import * as z from "zod";
import {
  handedInSchema,
  linesReceivedSchema,
  pushTokenSchema,
  RUN_ACTION_HEADER,
  reportedLinesSchema,
} from "../../../contracts/run-report.ts";
import type { JobLog } from "../../../engine/ports/job-log.ts";
import type { Log } from "../../../engine/ports/log.ts";
import type { PushToken, PushTokens } from "../../../engine/ports/runs.ts";
import type { JobService } from "../../../engine/ports/service.ts";
import { rateLimit } from "../../middleware/rate-limit.ts";
import { OVER, type RunCallerParts, runCallerOf, runCallers } from "../../middleware/run-caller.ts";
import { failure, type HttpResult, success } from "../../routing/answer.ts";
import { MAX_RESULT_BYTES, RESULTS_PER_JOB } from "../../routing/limits.ts";
import type { AnswerShape } from "../../routing/route.ts";
import { type Route, route } from "../../routing/route.ts";
import type { BodyThread } from "../../server/body-thread.ts";
import { requestId } from "../../server/request-log.ts";
import { reportLines } from "./report-lines.ts";

export interface RunRouteParts extends RunCallerParts {
  readonly service: Pick<JobService, "handle">;
  readonly jobLog: Pick<JobLog, "append">;
  readonly push_tokens: PushTokens;
  readonly thread: Pick<BodyThread, "handIn">;
  readonly log: Log;
}

const NO_STORE = { "Cache-Control": "no-store" };

const NO_TOKEN = failure(
  502,
  "github_unavailable",
  "The result is taken, but GitHub made no token to push with; send the same again, or push with your own.",
  { "Retry-After": "5" },
);

const RETRY_AFTER = { "Retry-After": "In how many seconds to come again; not there with `over`." };

/** What every one of them may answer before it does anything. */
const SHARED: Readonly<Record<number, AnswerShape>> = {
  401: {
    about: "The bearer is no OIDC token of GitHub's whose audience is this server, or it is over.",
    codes: ["unauthorized"],
    headers: { "WWW-Authenticate": "How to bring a token." },
  },
  404: { about: "No such job, or not this run's.", codes: ["not_found"] },
  409: { about: "Not yet, or not any more.", codes: ["run_unknown", "over"], headers: RETRY_AFTER },
  429: {
    about: "Too many requests.",
    codes: ["rate_limited", "too_many_guesses"],
    headers: { "Retry-After": "In how many seconds to come again." },
  },
  501: { about: "This server has no address of its own.", codes: ["not_set_up"] },
  503: {
    about: "GitHub's keys cannot be read, or the server is starting.",
    codes: ["github_unavailable", "starting"],
    headers: { "Retry-After": "In how many seconds to come again." },
  },
};

const params = z.object({ job_id: z.string().meta({ description: "The job's." }) });

const BY_TOKEN =
  "The bearer is the workflow's OIDC token, asked for with this server's address as audience; it must be of the run that " +
  "works on the job now.";

const LINE = { seq: 1, at: "2030-01-31T12:00:00.000Z", level: "info", text: "I look at the repository first." };
const USAGE = { turns: 7, input_tokens: 21_000, output_tokens: 900, cache_read_tokens: 0, cache_write_tokens: 0 };

const logRoute = (parts: RunRouteParts, callers: Route["callers"] & object): Route =>
  route({
    method: "post",
    path: "/api/runs/{job_id}/log",
    operation: "reportLines",
    group: "runs",
    lenient: true,
    summary: "Tell lines of a running job's log",
    about: `They are shown at once to whoever follows the job, and kept. Sending a line twice is safe. ${BY_TOKEN}`,
    scope: null,
    quiet: true,
    callers,
    params,
    body: reportedLinesSchema,
    example: { params: { job_id: "ab12cd34" }, body: { lines: [LINE] } },
    answers: {
      200: { about: "Up to which line they are known.", schema: linesReceivedSchema, example: { received: 1 } },
      ...SHARED,
    },
    async work({ request, body }) {
      const { stored, run } = runCallerOf(request);
      const { id } = stored.job;
      const latest = (await parts.jobs.load(id)) ?? stored;
      const { received, added } = await reportLines(parts.jobLog, latest, body.lines);
      if (added) await parts.service.handle(id, { type: "progressed", ...run });
      return success(200, { received }, NO_STORE);
    },
  });

/** A body that is left out is an empty one. */
const bytesOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.from("{}"));

async function tokenFor(parts: RunRouteParts, request: Parameters<typeof runCallerOf>[0]): Promise<PushToken | null> {
  const { stored, repository_id } = runCallerOf(request);
  try {
    return await parts.push_tokens.create(stored.job.repository, repository_id);
  } catch (error) {
    parts.log.warn({ request: requestId(request), job: stored.job.id, err: error }, "no token to push with was made");
    return null;
  }
}

const resultRoute = (parts: RunRouteParts, callers: Route["callers"] & object): Route =>
  route({
    method: "post",
    path: "/api/runs/{job_id}/result",
    operation: "handInResult",
    group: "runs",
    lenient: true,
    summary: "Hand in a running job's result, for a token to push with",
    about: `Nothing is merged for it before the run has ended well and its push is there. May be sent again. ${BY_TOKEN}`,
    scope: null,
    callers: [
      ...callers,
      rateLimit(
        {
          name: "results",
          most: RESULTS_PER_JOB,
          window_ms: 60_000,
          keyOf: (request) => runCallerOf(request).stored.job.id,
          sentence: `More than ${RESULTS_PER_JOB} results a minute for this job; wait and try again.`,
        },
        parts.now,
      ),
    ],
    max_body_bytes: MAX_RESULT_BYTES,
    params,
    raw: true,
    raw_body: handedInSchema,
    example: {
      params: { job_id: "ab12cd34" },
      body: {
        result: { version: 1, outcome: "done", title: "Say hello", body: "HELLO.md says it.", usage: USAGE },
        log: [LINE],
        changed_files: ["HELLO.md"],
      },
    },
    answers: {
      200: {
        about: "Taken. The token is of the App, for this repository alone, with `contents: write` alone.",
        schema: pushTokenSchema,
        example: { token: "ghs_…", expires_at: "2030-01-31T13:00:00Z" },
      },
      502: { about: "Taken, but GitHub made no token.", codes: ["github_unavailable"], headers: RETRY_AFTER },
      ...SHARED,
    },
    async work({ request }): Promise<HttpResult> {
      const { stored, run } = runCallerOf(request);
      const { id, title } = stored.job;
      const read = await parts.thread.handIn({ parts: [bytesOf(request.body)], job: { id, title } });
      if (read.kind === "refused") return read.answer;
      const { work: result, log } = read;
      const taken = await parts.service.handle(
        id,
        {
          type: "hand-in",
          ...run,
          result,
          old_workflow: request.headers[RUN_ACTION_HEADER] === undefined,
        },
        log.length === 0 ? undefined : log,
      );
      if (!taken.ok) return OVER;
      const made = await tokenFor(parts, request);
      if (made === null) return NO_TOKEN;
      return success(200, { token: made.token.reveal(), expires_at: made.expires_at }, NO_STORE);
    },
  });

export function runRoutes(parts: RunRouteParts): readonly Route[] {
  const callers = runCallers(parts);
  return [logRoute(parts, callers), resultRoute(parts, callers)];
}
