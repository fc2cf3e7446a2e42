/**
 * Logs one line for each processed webhook and for each transition of a job, so that operators can follow jobs. Lines
 * never hold a task or a model's answer.
 */

import { redact } from "../contracts/redact.ts";
import type { Command } from "../domain/job/command.ts";
import type { GitHubEvent } from "../domain/job/github-event.ts";
import type { HistoryRow } from "../domain/job/history.ts";
import { fullName, type Job, type JobId, runOf } from "../domain/job/job.ts";
import { eventsOf } from "../domain/job/job-events.ts";
import { FAILURE_CODES, type LogFacts } from "../domain/job/log-fields.ts";
import type { RefusalCode } from "../domain/job/refusal.ts";
import { requesterOf } from "../domain/job/requester.ts";
import { normalise } from "../text/normalise.ts";
import { cut } from "../text/text.ts";
import type { Log } from "./ports/log.ts";
import type { Handled } from "./ports/service.ts";

/** The outcome of a webhook delivery. */
export interface Acted {
  /** Who gave the command; null for reports by GitHub. */
  readonly account: string | null;
  readonly job: JobId | null;
  readonly error_code: RefusalCode | null;
}

/** Collects the outcome of one delivery while it is processed. */
export class Trace {
  readonly delivery: string;
  #acted: Acted | null = null;

  constructor(delivery: string) {
    this.delivery = delivery;
  }

  note(what: Partial<Acted>): void {
    this.#acted = { ...(this.#acted ?? { account: null, job: null, error_code: null }), ...what };
  }

  /** Commands are always logged; other events only if they changed something. */
  handled(handled: Handled): void {
    if (!handled.ok) this.note({ error_code: handled.refusal.code });
    else if (handled.changed || this.#acted !== null) this.note({ job: handled.job.id });
  }

  /** Null when there was nothing to do. */
  get acted(): Acted | null {
    return this.#acted;
  }
}

const MAX_REASON = 200;
const MAX_NAME = 200;

const short = (text: string, most: number): string => cut(redact(normalise(text)).replace(/\s+/g, " ").trim(), most);

const placeOf = (event: GitHubEvent): LogFacts => {
  if (!("repository" in event)) return { installation_id: event.installation_id };
  const { repository } = event;
  const { id: repository_id, installation_id } = repository;
  return { repository: short(fullName(repository), MAX_NAME), repository_id, installation_id };
};

function commandOf(event: GitHubEvent): string | undefined {
  switch (event.type) {
    case "slash":
      return event.command.verb;
    case "review":
      return event.type;
    case "button":
      return event.action;
    case "news":
    case "pull-news":
      return event.command.type;
    default:
      return undefined;
  }
}

export function logDelivery(log: Pick<Log, "info">, delivery: string, event: GitHubEvent, acted: Acted): void {
  const facts: LogFacts = {
    delivery: short(delivery, MAX_NAME),
    ...{ github_event: event.type, command: commandOf(event) },
    ...placeOf(event),
    account: acted.account ?? undefined,
    job: acted.job ?? undefined,
    error_code: acted.error_code ?? undefined,
  };
  log.info(facts, "delivery");
}

const isFailure = ({ from, to }: HistoryRow): boolean =>
  to === "failed" || (to === "queued" && (from === "accepted" || from === "submitted"));

const hasCode = (type: Command["type"]): type is keyof typeof FAILURE_CODES => Object.hasOwn(FAILURE_CODES, type);

const codeOf = ({ type }: Command): string => (hasCode(type) ? FAILURE_CODES[type] : "failed");

function failureOf(job: Job, row: HistoryRow, command: Command): LogFacts {
  if (!isFailure(row) || job.failure === null || command.type === "message") return {};
  // A submitted result counts together with the event of the run's end.
  const told = command.type === "result-read" || command.type === "run-changed";
  const permanent = told && row.to === "failed" ? job.result?.permanent_error : null;
  return { error_code: permanent ?? codeOf(command), reason: short(job.failure, MAX_REASON) };
}

const keyOf = (command: Command): LogFacts => {
  const via = requesterOf(command)?.via;
  return {
    key: via?.key_id ?? undefined,
    request: via?.request_id ? short(via.request_id, MAX_NAME) : undefined,
  };
};

/** `rows`: of one commit. */
export function logTransitions(log: Pick<Log, "info">, job: Job, rows: readonly HistoryRow[], command: Command): void {
  for (const row of rows) {
    const [event] = eventsOf([row]);
    if (event === undefined) continue;
    const facts: LogFacts = {
      ...{ job: job.id, event, command: command.type, from: row.from ?? undefined, to: row.to },
      repository: short(fullName(job.repository), MAX_NAME),
      repository_id: job.repository.id,
      ...{ account: job.account, round: job.round, attempt: job.attempt },
      run_id: runOf(job)?.id,
      pull_request: job.pull_request?.number,
      ...failureOf(job, row, command),
      ...keyOf(command),
    };
    log.info(facts, "job");
  }
}
