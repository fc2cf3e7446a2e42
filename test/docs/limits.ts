/** Limits that users meet, with the numbers from the code. */
import { MAX_LOG_LINES } from "../../src/contracts/log-line.ts";
import { MOST_ACCEPTED_JOBS } from "../../src/domain/job/quotas.ts";
import { MAX_ATTEMPTS } from "../../src/engine/run-effects.ts";
import { TASK_LIMIT } from "../../src/github/events/slash-command.ts";
import { MAX_OVERLAP_SECONDS, MAX_OVERLAPPING } from "../../src/http/admin/rotate-key.ts";
import { WRONG_KEYS_PER_MINUTE } from "../../src/http/middleware/wrong-key-throttling.ts";
import { MOST_ATTACHMENTS, MOST_FILES } from "../../src/http/routing/contents-field.ts";
import * as http from "../../src/http/routing/limits.ts";
import { MAX_KEYS_OF_ACCOUNT } from "../../src/http/sign-in/issue-key.ts";
import { MAX_FOR_ACCOUNT } from "../../src/job-log/live-logs.ts";
import { MAX_BLOB_BYTES } from "../../src/store/lowdb/attachments.ts";
import { MAX_IDEMPOTENCY_RECORDS } from "../../src/store/lowdb/idempotency.ts";
import { MAX_PENDING } from "../../src/store/lowdb/inbox.ts";
import { MAX_LEDGER_ROWS } from "../../src/store/lowdb/ledger.ts";
import { MAX_PENDING_DELIVERIES } from "../../src/store/lowdb/outgoing.ts";
import { MAX_QUOTES } from "../../src/store/lowdb/quotes.ts";
import { MAX_VALUES } from "../../src/text/json-bounds.ts";
import { MAX_SUBSCRIPTIONS } from "../../src/webhooks/webhooks.ts";
import type { Rows } from "./pages.ts";

const count = (number: number): string => number.toLocaleString("en");
const MB = 1024 * 1024;
const megabytes = (bytes: number): string => `${bytes / MB} MB`;
const gigabytes = (bytes: number): string => `${bytes / MB / 1024} GB`;

export const API_LIMITS: Rows = [
  ["a body", `${megabytes(http.MAX_BODY_BYTES)} and ${count(MAX_VALUES)} values`],
  ["what a run hands in", megabytes(http.MAX_RESULT_BYTES)],
  ["a call of a trigger", `${http.MAX_TRIGGER_BYTES / 1024} kB and ${count(http.MAX_TRIGGER_VALUES)} values`],
  ["a task", `${count(http.MAX_TASK_LENGTH)} characters; in a comment ${count(TASK_LIMIT)}`],
  ["attachments; files that a worker hands in", `${MOST_ATTACHMENTS}; ${MOST_FILES}`],
  ["writes with one key", `${count(http.WRITES_PER_MINUTE)} a minute`],
  ["creates, and messages, of an agent v2 project", `${http.PER_PROJECT_AND_HOUR} each an hour, whoever sends them`],
  [
    "unknown numeric ids in agent v2, for which GitHub is asked",
    `${http.UNKNOWN_NUMBERS_OF_ACCOUNT} of an account and ${http.UNKNOWN_NUMBERS} of all in ${http.UNKNOWN_NUMBERS_MS / 60_000} minutes, each once; then 429`,
  ],
  ["requests of one job's run; results among them", `${http.RUN_REQUESTS_PER_JOB}; ${http.RESULTS_PER_JOB} a minute`],
  [
    "wrong keys from one address",
    `${WRONG_KEYS_PER_MINUTE} a minute; then 429, except for keys that were good from there before`,
  ],
  ["logs that an account follows at once", count(MAX_FOR_ACCOUNT)],
  ["webhooks of an account", count(MAX_SUBSCRIPTIONS)],
  ["keys of an account from signing in", count(MAX_KEYS_OF_ACCOUNT)],
  [
    "replaced keys of an account that still work",
    `${MAX_OVERLAPPING}, each for at most ${MAX_OVERLAP_SECONDS / 86_400} days`,
  ],
  ["answers kept for `Idempotency-Key`", `the last ${count(MAX_IDEMPOTENCY_RECORDS)}`],
];

export const SERVER_BOUNDS: Rows = [
  ["deliveries that wait to be worked on", `${count(MAX_PENDING)}; GitHub is asked for the rest later`],
  ["lines of log kept for an attempt", count(MAX_LOG_LINES)],
  ["attempts of a call to GitHub", `${MAX_ATTEMPTS}, over about three quarters of an hour`],
  ["deliveries to webhooks that wait to be sent", count(MAX_PENDING_DELIVERIES)],
  ["quotes of the market", count(MAX_QUOTES)],
  ["movements of an account that can be read", count(MAX_LEDGER_ROWS)],
  ["attachments and files of the market that wait", gigabytes(MAX_BLOB_BYTES)],
  ["market jobs that one worker may work on at once, however many it was paid for", count(MOST_ACCEPTED_JOBS)],
];
