/**
 * The facts by which a store finds a job without opening it. All stores derive them here, so that they find the same
 * jobs.
 */

import { accountNamed } from "../domain/job/account.ts";
import type { CommentId } from "../domain/job/comment-id.ts";
import { isHeldBack } from "../domain/job/effect.ts";
import {
  fullName,
  type GivenUp,
  holdOf,
  isAtRest,
  isFinal,
  isOnMarket,
  issueOf,
  type Job,
  type JobId,
  marketWork,
  type Status,
  workerOf,
} from "../domain/job/job.ts";
import { type Place, type Placed, placeOf } from "../domain/job/line.ts";
import { type DueTimer, nextTimerAt } from "../domain/job/next-timer.ts";
import type { JobOutcome } from "../domain/job/outcome.ts";
import { owed } from "../domain/market/debt.ts";
import type { StoredJob } from "../engine/ports/jobs.ts";

export interface JobFacts {
  readonly id: JobId;
  /** In the canonical spelling of accounts, whatever an older record holds. */
  readonly account: string;
  /** `owner/name` in lower case, since GitHub ignores case. */
  readonly repository: string;
  /** GitHub's number of it; null: a record of before does not know it. */
  readonly repository_id: number | null;
  readonly status: Status;
  /** Undefined: a record of before does not say it in its first line. */
  readonly outcome: JobOutcome | null | undefined;
  /** When the hold ends; from then on the job reads as queued. */
  readonly held_until: number | null;
  readonly created_at: number;
  /** Its current and former pull requests, which no other job may use. */
  readonly pull_requests: readonly number[];
  readonly issue: number | null;
  readonly comment: CommentId | null;
  readonly wake_at: number | null;
  readonly open: boolean;
  /** What it has or waits for of its repository's limits; null: nothing. */
  readonly place: Place | null;
  /** The job is final or waits for an answer, and does not count towards quotas. */
  readonly over: boolean;
  readonly on_market: boolean;
  /** The account that works on it for the market, until the work is decided. */
  readonly worker: string | null;
  readonly given_up: readonly GivenUp[];
  /** Cents that the sender owes for accepted work. */
  readonly owed_cents: number;
  /** Effects to be performed, those of them that are not merely held back, and those whose last attempt failed. */
  readonly effects: number;
  readonly pending: number;
  readonly failing: number;
}

/** The fields of a job that its facts derive from. */
export type Findable = DueTimer &
  Pick<Job, "id" | "account" | "repository" | "origin" | "created_at" | "merged_at" | "pull_request" | "merge"> &
  Pick<Job, "price_cents" | "former_pull_requests"> &
  Placed;

/** The facts by which the market queue places a job. */
export interface OfferFacts {
  readonly id: JobId;
  readonly repository: string;
  readonly price_cents: number;
  readonly created_at: number;
  readonly skills: readonly string[];
  readonly presented_to_agents: readonly string[];
  /** When the current hold ends; null when nobody holds it. */
  readonly held_until: number | null;
}

export const repositoryKey = (name: string): string => name.toLowerCase();

/** Not final, or verified with our merge still pending. */
const isOpen = (job: Findable): boolean =>
  !isFinal(job.status) || (job.status === "verified" && job.merged_at === null && job.merge.state !== "off");

const busyWorker = (job: Findable): string | null =>
  job.status === "accepted" || job.status === "submitted" ? (workerOf(job)?.account ?? null) : null;

const NONE: readonly GivenUp[] = [];

function givenUpOf(job: Findable): readonly GivenUp[] {
  const given_up = marketWork(job)?.given_up ?? NONE;
  return given_up.length === 0 ? NONE : given_up;
}

const pullRequestsOf = ({ pull_request, former_pull_requests }: Findable): readonly number[] =>
  pull_request === null ? former_pull_requests : [...former_pull_requests, pull_request.number];

export function factsOf(
  job: Findable,
  effects: StoredJob["effects"],
  outcome: JobOutcome | null | undefined,
): JobFacts {
  return {
    id: job.id,
    account: accountNamed(job.account),
    repository: repositoryKey(fullName(job.repository)),
    repository_id: job.repository.id ?? null,
    status: job.status,
    outcome,
    held_until: holdOf(job)?.expires_at ?? null,
    created_at: job.created_at,
    pull_requests: pullRequestsOf(job),
    issue: issueOf(job.origin),
    comment: job.origin.kind === "comment" ? job.origin.comment_id : null,
    wake_at: nextTimerAt(job),
    open: isOpen(job),
    place: placeOf(job),
    over: isAtRest(job.status),
    on_market: isOnMarket(job),
    worker: busyWorker(job),
    owed_cents: owed(job),
    given_up: givenUpOf(job),
    effects: effects.length,
    pending: effects.filter((one) => !isHeldBack(one)).length,
    failing: effects.filter(({ attempts }) => attempts > 0).length,
  };
}

/** `repository`: in the spelling of the job's other facts. Null when the job is not on offer. */
export function offerOf(job: Findable, repository: string): OfferFacts | null {
  if (!isOnMarket(job) || (job.status !== "queued" && job.status !== "held")) return null;
  return {
    id: job.id,
    repository,
    price_cents: job.price_cents,
    created_at: job.created_at,
    skills: job.work.skills,
    presented_to_agents: job.work.presented_to_agents,
    held_until: job.status === "held" ? (job.work.hold?.expires_at ?? null) : null,
  };
}
