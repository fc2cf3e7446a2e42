/**
 * The fields of the server's log lines: one line per processed delivery, per transition of a job, and per request.
 * docs/operations.md shows this list; such a line has no other fields.
 */
import type { Command } from "./command.ts";

export const LOG_FIELDS = {
  delivery: "GitHub's id of the delivery",
  github_event: "what the delivery meant: `slash`, `label`, `button`, `news` …",
  event: "what happened to the job, as webhooks name it: `job.created`, `job.failed`, `job.merged` …",
  command: "the command that led to it: the verb behind `/job`, or a report such as `result-read`",
  job: "the job's id",
  repository: "`owner/name` as it is called now",
  repository_id: "GitHub's number of the repository",
  installation_id: "GitHub's number of the installation",
  account: "whose job it is; of a request or a delivery, who asked",
  key: "the id of the API key, never the key; `API_KEY` is the one of the settings",
  from: "the status before",
  to: "the status after",
  round: "the request for work within the job: 1, 2, 3 …",
  attempt: "the agent's run within the round: 1 or 2",
  run_id: "GitHub's number of the workflow run",
  pull_request: "the number of the pull request",
  error_code: "why not: a `code` of the API, or of the table below",
  reason: "why an attempt failed, redacted and cut to 200 characters",
  request: "the id of the request, which its answer carries as `X-Request-Id`; or of the delivery that asked",
  method: "the method of the request",
  path: "its path without the query",
  status: "the status of its answer",
  ms: "milliseconds from its receipt to its end",
} as const;

export type LogField = keyof typeof LOG_FIELDS;
/** What is undefined is left out of the line. */
export type LogFacts = { readonly [Field in LogField]?: string | number | undefined };

/** Why an attempt or a job failed, by the command that said so. A permanent error of the model's provider is said as that. */
export const FAILURE_CODES = {
  "brief-refused": "repository_not_ready",
  "brief-pushed": "market_off",
  "run-changed": "run_failed",
  "result-read": "agent_failed",
  "pull-request-opened": "pull_request_taken",
  "work-stopped": "pull_request_left",
  observe: "checks_failed",
  judged: "judged_bad",
  "submission-refused": "delivery_refused",
  fail: "worker_failed",
  "reject-work": "rejected",
  tick: "deadline_passed",
  "effect-abandoned": "github_unavailable",
} as const satisfies { readonly [Type in Command["type"]]?: string };
