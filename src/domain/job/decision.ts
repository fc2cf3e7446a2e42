/** What a command leads to: the next job with everything that must be written beside it, a refusal, or nothing. */

import type { Posting } from "../market/ledger.ts";
import type { Effect, WantedEffect } from "./effect.ts";
import type { HistoryRow } from "./history.ts";
import { issueOf, type Job } from "./job.ts";
import { outcomeOf } from "./outcome.ts";
import { type Refusal, type RefusalCode, refusal } from "./refusal.ts";

export interface Decided {
  readonly kind: "decided";
  readonly job: Job;
  readonly history: readonly HistoryRow[];
  readonly postings: readonly Posting[];
  readonly effects: readonly WantedEffect[];
}

export type Decision =
  | Decided
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** The command is understood and changes nothing. */
  | { readonly kind: "unchanged" };

/** What `decide` may know beside the job and the command. */
export interface Context {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What the sender's account holds, in cents. */
  readonly available_cents: number;
  /** Account of the person who has merged, by GitHub's number; null or missing: a program, or nobody knows who. */
  readonly merger?: string | null;
  /** The pull request that the command names is another job's. */
  readonly pull_request_taken?: boolean;
  /** Whoever decides is still there later, so that a write may be held back which the next one may make needless. */
  readonly patient?: boolean;
}

export const unchanged: Decision = { kind: "unchanged" };

export const refuse = (code: RefusalCode, sentence: string): Decision => ({
  kind: "refused",
  refusal: refusal(code, sentence),
});

/** Comment edits are at least this far apart while the job runs (github-facts 7.8). */
export const COMMENT_GAP_MS = 10_000;
/** The same for the check run. */
export const CHECK_GAP_MS = 15_000;

export interface Change {
  readonly set?: Partial<Job>;
  /** The transition's name in the history, in the past tense; null when only facts change. */
  readonly event?: string | null;
  readonly by?: string | null;
  readonly note?: string | null;
  readonly postings?: readonly Posting[];
  readonly effects?: readonly WantedEffect[];
}

/** A job asked for over REST has nowhere to be talked about until its pull request is open. */
const hasPlace = (job: Job): boolean => issueOf(job.origin) !== null || job.pull_request !== null;

function rowOf(
  job: Job,
  next: Job,
  said: { readonly event: string; readonly by: string | null; readonly note: string | null },
): HistoryRow {
  const outcome = outcomeOf(next);
  return { at: next.updated_at, ...said, from: job.status, to: next.status, ...(outcome === null ? {} : { outcome }) };
}

/** The decision that makes this change to the job; the history tells it when `event` names it. */
export function change(
  job: Job,
  now: number,
  { set = {}, event = null, by = null, note = null, ...rest }: Change,
): Decided {
  const next: Job = { ...job, ...set, updated_at: now };
  const history: HistoryRow[] = event === null ? [] : [rowOf(job, next, { event, by, note })];
  const effects = (rest.effects ?? []).filter(({ effect }) => effect.type !== "sync-comment" || hasPlace(next));
  return { kind: "decided", job: next, history, postings: rest.postings ?? [], effects };
}

/** A further change on top of a decision that was made: one commit for both. */
export function andThen(first: Decision, next: (job: Job) => Decision): Decision {
  if (first.kind !== "decided") return first;
  const second = next(first.job);
  if (second.kind !== "decided") return first;
  return {
    kind: "decided",
    job: second.job,
    history: [...first.history, ...second.history],
    postings: [...first.postings, ...second.postings],
    effects: [...first.effects, ...second.effects],
  };
}

export const soon = (effect: Effect): WantedEffect => ({ effect, not_before: 0 });
export const later = (effect: Effect, not_before: number): WantedEffect => ({ effect, not_before });

/** Say it in the comment: at once, or as soon as the gap to the last edit allows. */
export const showComment = (job: Job, now: number, throttle: "now" | "paced"): WantedEffect => ({
  effect: { type: "sync-comment" },
  not_before: throttle === "now" || job.comment === null ? now : job.comment.synced_at + COMMENT_GAP_MS,
});

/** Say it in the check run, as {@link showComment}. A new head has no check yet, so it gets one at once. */
export const showCheck = (job: Job, now: number, throttle: "now" | "paced"): WantedEffect[] => {
  if (job.head_sha === null) return [];
  const fresh = job.check === null || job.check.sha !== job.head_sha;
  const not_before = throttle === "now" || fresh || job.check === null ? now : job.check.synced_at + CHECK_GAP_MS;
  return [{ effect: { type: "sync-check" }, not_before }];
};

/** The same in a moment, where it may be that one write then says what two would. */
export const showSoon = (effect: Effect, { now, patient }: Context, within_ms: number): WantedEffect =>
  later(effect, patient === true ? now + within_ms : now);

/** Say it everywhere at once: for what people wait for. */
export const showNow = (job: Job, now: number): WantedEffect[] => [
  ...showCheck(job, now, "now"),
  showComment(job, now, "now"),
];
