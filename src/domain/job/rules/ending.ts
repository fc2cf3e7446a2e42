/** How a try or a job ends: failing, cancelling, being verified. The one place where escrow leaves a job. */

import { payout, refund } from "../../market/ledger.ts";
import { type Change, change, type Decided, showComment, showNow, soon } from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Job, Round } from "../job.ts";
import { withoutWord } from "../usage.ts";

/** Two tries: accept and fail both count (job-market seed). */
export const MOST_ATTEMPTS = 3;

/** What no try has yet: cleared when one ends. */
export const NO_ATTEMPT = {
  hold: null,
  worker: null,
  accepted_at: null,
  deadline_at: null,
  submitted_at: null,
  judgement: null,
  approval: null,
  sender_asked_at: null,
  delivery: null,
  handed_in: null,
  progress_at: null,
  head_seen_at: null,
  brief_sha: null,
  pushed_at: null,
  run: null,
  early_runs: [],
  woken_at: null,
} satisfies Partial<Job>;

/** The most earlier rounds that a job remembers in words. */
export const MOST_ROUNDS = 20;

const MOST_PAST_RUNS = 20;

/** The runs that no longer count once this try is over. */
export const pastRuns = (job: Job): readonly number[] =>
  job.run === null ? job.past_runs : [...job.past_runs, job.run.id].slice(-MOST_PAST_RUNS);

/** The rounds with what came of the current one written down. */
export const conclude = (job: Job, did: string): readonly Round[] =>
  job.rounds.map((round, index) => (index === job.rounds.length - 1 && round.did === "" ? { ...round, did } : round));

export const pushBrief = (job: Job): WantedEffect[] =>
  job.runner === "actions" ? [soon({ type: "push-brief", round: job.round, try: job.tries })] : [];

/** A run that is still going would work for nothing. */
export const cancelRun = (job: Job): WantedEffect[] =>
  job.run !== null && job.run.status !== "completed" ? [soon({ type: "cancel-run", run_id: job.run.id })] : [];

/** What checks said of an earlier try is no reason of this end. */
const NO_REASONS = { reasons: [] } satisfies Partial<Job>;

/** The job is over without success: the escrow goes back. */
export function endUnpaid(job: Job, now: number, to: "failed" | "cancelled", extra: Change): Decided {
  const shown = to === "failed" || job.check !== null;
  const sentence = extra.note ?? extra.set?.failure ?? job.failure;
  const set: Partial<Job> = {
    ...NO_REASONS,
    ...extra.set,
    status: to,
    hold: null,
    deadline_at: null,
    cancellation_requested: to === "cancelled" ? true : job.cancellation_requested,
    merge: { state: "off", why: extra.note ?? (to === "failed" ? "the job failed" : "the job was cancelled") },
    rounds: conclude(job, sentence ?? to),
  };
  return change(job, now, {
    ...extra,
    set,
    event: to,
    postings: refund(job.account, job.id, job.price_cents),
    effects: [...(extra.effects ?? []), ...(shown ? showNow({ ...job, ...set }, now) : [showComment(job, now, "now")])],
  });
}

const MOST_TURNED_DOWN = 10;

/** What a worker has handed in may still be merged by hand. */
function turnedDown({ status, price_cents, worker, pull_request, turned_down = [] }: Job): Partial<Job> {
  if (status !== "submitted" || price_cents === 0 || worker === null || pull_request === null) return {};
  const { number } = pull_request;
  const others = turned_down.filter((work) => work.pull_request !== number);
  return { turned_down: [...others, { ...worker, pull_request: number }].slice(-MOST_TURNED_DOWN) };
}

/** Tries that are remembered as given up: more than that of one job are over within a day by no means. */
const MOST_GIVEN_UP = 10;

/** Whose doing it is that a try came to nothing. */
export type Doing = "worker's" | "another's";

/** A worker who lets a try fail is remembered for it, unless the sender wanted it so. */
const givenUp = (
  { worker, runner, cancellation_requested, given_up = [] }: Job,
  at: number,
  doing: Doing,
): Partial<Job> =>
  runner === "market" && worker !== null && doing === "worker's" && !cancellation_requested
    ? { given_up: [...given_up, { account: worker.account, at }].slice(-MOST_GIVEN_UP) }
    : {};

/**
 * The try failed: cancelled if that was asked for, failed after the second or where no other can work (`last`), else back
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
    attempt_count,
    failure: why,
    ...withoutWord(job),
    ...turnedDown(job),
    ...givenUp(job, now, doing),
  };
  if (job.cancellation_requested) return endUnpaid(job, now, "cancelled", { ...extra, set: counted, note: why });
  if (last || attempt_count >= MOST_ATTEMPTS)
    return endUnpaid(job, now, "failed", { ...extra, set: counted, note: why });
  const next: Job = {
    ...job,
    ...counted,
    ...NO_ATTEMPT,
    past_runs: pastRuns(job),
    status: "queued",
    tries: job.tries + 1,
  };
  return change(job, now, {
    ...extra,
    set: next,
    event: "queued",
    note: why,
    effects: [...(extra.effects ?? []), ...pushBrief(next), showComment(job, now, "paced")],
  });
}

/** The work is good: the worker is paid, whatever was asked about cancelling. */
export function verify(job: Job, now: number, extra: Change): Decided {
  const pay =
    job.worker === null
      ? refund(job.account, job.id, job.price_cents)
      : payout(job.worker.account, job.id, job.price_cents);
  return change(job, now, {
    ...extra,
    set: {
      // what lies in this pull request is paid, whoever had worked on it before
      turned_down: (job.turned_down ?? []).filter((work) => work.pull_request !== job.pull_request?.number),
      ...extra.set,
      status: "verified",
      deadline_at: null,
      failure: null,
      rounds: conclude(job, job.work?.body || job.work?.title || "done"),
    },
    event: "verified",
    postings: pay,
  });
}
