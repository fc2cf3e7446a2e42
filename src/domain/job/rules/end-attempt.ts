/** How an attempt or a job ends: failing, cancelling, being verified. The one place where escrow leaves a job. */

import { payout, refund } from "../../market/ledger.ts";
import { atOnce, type Change, change, type Decided, showComment, showNow } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import {
  type GivenUp,
  isOnActions,
  isOnMarket,
  type Job,
  type MarketJob,
  type RejectedWork,
  type Round,
  runOf,
  type Work,
  workerOf,
} from "../job.ts";
import { newAttempt } from "../schema.ts";
import { withoutResult } from "../usage.ts";

/** Two attempts: accept and fail both count (job-market seed). */
export const MAX_ATTEMPTS = 3;

/** The most earlier rounds that a job remembers in words. */
export const MOST_ROUNDS = 20;

const MOST_PAST_RUNS = 20;

/** Its run no longer counts once its attempt is over. */
export const retireRun = (work: Work): Work =>
  work.kind !== "actions" || work.run === null
    ? work
    : { ...work, past_runs: [...work.past_runs, work.run.id].slice(-MOST_PAST_RUNS) };

/** The rounds with what came of the current one written down. */
export const conclude = (job: Job, did: string): readonly Round[] =>
  job.rounds.map((round, index) => (index === job.rounds.length - 1 && round.did === "" ? { ...round, did } : round));

/** Of work that a limit has ended, the next round is told how far it had come. */
const withLastWords = (sentence: string, result: Job["result"]): string =>
  result?.outcome === "limit" && result.body !== "" && result.body !== sentence
    ? `${sentence}\n\n${result.body}`
    : sentence;

export const pushBrief = (job: Job): WantedEffect[] =>
  isOnActions(job) ? [atOnce({ type: "push-brief", round: job.round, attempt: job.attempt })] : [];

/** A run that is still going would work for nothing. */
export function cancelRun(job: Job): WantedEffect[] {
  const run = runOf(job);
  return run !== null && run.status !== "completed" ? [atOnce({ type: "cancel-run", run_id: run.id })] : [];
}

/** What checks said of an earlier attempt is no reason of this end. */
const NO_REASONS = { reasons: [] } satisfies Partial<Job>;

export const withoutHold = (work: Work): Work => (work.kind === "market" ? { ...work, hold: null } : work);

/** The job is over without success: the escrow goes back. */
export function endUnpaid(job: Job, now: number, to: "failed" | "cancelled", extra: Change): Decided {
  const shown = to === "failed" || job.check !== null;
  const sentence = extra.note ?? extra.set?.failure ?? job.failure;
  const set: Partial<Job> = {
    ...NO_REASONS,
    ...extra.set,
    status: to,
    work: withoutHold(extra.set?.work ?? job.work),
    deadline_at: null,
    cancellation_requested: to === "cancelled" ? true : job.cancellation_requested,
    merge: { state: "off", why: extra.note ?? (to === "failed" ? "the job failed" : "the job was cancelled") },
    rounds: conclude(job, withLastWords(sentence ?? to, extra.set?.result ?? job.result)),
  };
  return change(job, now, {
    ...extra,
    set,
    event: to,
    postings: refund(job.account, job.id, job.price_cents),
    effects: [...(extra.effects ?? []), ...(shown ? showNow({ ...job, ...set }, now) : [showComment(now, "now")])],
  });
}

const MOST_TURNED_DOWN = 10;

/** What a worker has handed in may still be merged by hand. */
function turnedDown({ status, price_cents, pull_request, work }: MarketJob): readonly RejectedWork[] {
  const { worker, turned_down } = work;
  if (status !== "submitted" || price_cents === 0 || worker === null || pull_request === null) return turned_down;
  const { number } = pull_request;
  const others = turned_down.filter((one) => one.pull_request !== number);
  return [...others, { ...worker, pull_request: number }].slice(-MOST_TURNED_DOWN);
}

/** The latest attempts remembered as given up; one job cannot end more than this many within a day. */
const MOST_GIVEN_UP = 10;

/** Whose doing it is that an attempt came to nothing. */
export type Doing = "worker's" | "another's";

/** A worker who lets an attempt fail is remembered for it, unless the sender wanted it so. */
function givenUp({ cancellation_requested, work }: MarketJob, at: number, doing: Doing): readonly GivenUp[] {
  const { worker, given_up } = work;
  return worker !== null && doing === "worker's" && !cancellation_requested
    ? [...given_up, { account: worker.account, at }].slice(-MOST_GIVEN_UP)
    : given_up;
}

/** What is remembered of the attempt that failed. */
const remembered = (job: Job, at: number, doing: Doing): Work =>
  isOnMarket(job) ? { ...job.work, turned_down: turnedDown(job), given_up: givenUp(job, at, doing) } : job.work;

/**
 * The attempt failed: cancelled if that was asked for, failed after the second or where no other can work (`last`), else back
 * in the queue for another.
 */
export function failAttempt(
  job: Job,
  now: number,
  why: string,
  extra: Change = {},
  doing: Doing = "worker's",
  last = false,
): Decided {
  const attempt_count = job.attempt_count + 1;
  const counted = {
    ...NO_REASONS,
    ...extra.set,
    catch_up: { ...(extra.set?.catch_up ?? job.catch_up), resolving: false },
    attempt_count,
    failure: why,
    ...withoutResult(job),
    work: remembered({ ...job, work: extra.set?.work ?? job.work }, now, doing),
  };
  if (job.cancellation_requested) return endUnpaid(job, now, "cancelled", { ...extra, set: counted, note: why });
  if (last || attempt_count >= MAX_ATTEMPTS)
    return endUnpaid(job, now, "failed", { ...extra, set: counted, note: why });
  const next: Job = {
    ...job,
    ...counted,
    ...newAttempt(retireRun(counted.work)),
    status: "queued",
    attempt: job.attempt + 1,
  };
  return change(job, now, {
    ...extra,
    set: next,
    event: "queued",
    note: why,
    effects: [...(extra.effects ?? []), ...pushBrief(next), showComment(now, "soon")],
  });
}

/** What lies in this pull request is paid, whoever had worked on it before. */
const withoutPaid = (work: Work, pull_request: Job["pull_request"]): Work =>
  work.kind === "market"
    ? { ...work, turned_down: work.turned_down.filter((one) => one.pull_request !== pull_request?.number) }
    : work;

/** The work is good: the worker is paid, whatever was asked about cancelling. */
export function verify(job: Job, now: number, extra: Change): Decided {
  const worker = workerOf(job);
  const pay =
    worker === null ? refund(job.account, job.id, job.price_cents) : payout(worker.account, job.id, job.price_cents);
  return change(job, now, {
    ...extra,
    set: {
      ...extra.set,
      work: withoutPaid(extra.set?.work ?? job.work, job.pull_request),
      status: "verified",
      deadline_at: null,
      failure: null,
      rounds: conclude(job, job.result?.body || job.result?.title || "done"),
    },
    event: "verified",
    postings: pay,
  });
}
