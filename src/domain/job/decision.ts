/** The result of a command: the next job with everything that is written along with it, a refusal, or no change. */

import type { Posting } from "../market/ledger.ts";
import type { Urgency } from "../pending-effect.ts";
import type { Effect, WantedEffect } from "./effect.ts";
import type { HistoryRow } from "./history.ts";
import { issueOf, type Job } from "./job.ts";
import type { LineFacts } from "./line.ts";
import { outcomeOf } from "./outcome.ts";
import { type Refusal, type RefusalCode, refusal } from "./refusal.ts";
import type { SpendingRow } from "./spending.ts";

export interface Decided {
  readonly kind: "decided";
  readonly job: Job;
  readonly history: readonly HistoryRow[];
  readonly postings: readonly Posting[];
  readonly effects: readonly WantedEffect[];
  /** What attempts have cost that it ends, or of which it tells more. Missing: nothing. */
  readonly spending?: readonly SpendingRow[];
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
  /** Who has which place in the repository. Missing: no job has to wait. */
  readonly line?: LineFacts | "unknown";
}

export const unchanged: Decision = { kind: "unchanged" };

export const refuse = (code: RefusalCode, sentence: string): Decision => ({
  kind: "refused",
  refusal: refusal(code, sentence),
});

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

export const atOnce = (effect: Effect): WantedEffect => ({ effect, urgency: "now", not_before: 0 });
export const later = (effect: Effect, not_before: number): WantedEffect => ({ effect, urgency: "now", not_before });

export const showComment = (now: number, urgency: Urgency): WantedEffect => ({
  effect: { type: "sync-comment" },
  urgency,
  not_before: now,
});

/** None of our checks stands in a person's pull request: the comment there says all. */
export const showCheck = ({ head_sha, target }: Job, now: number, urgency: Urgency): WantedEffect[] =>
  head_sha === null || target.kind === "pull-request"
    ? []
    : [{ effect: { type: "sync-check" }, urgency, not_before: now }];

/** Say it everywhere: for what people wait for. */
export const showNow = (job: Job, now: number): WantedEffect[] => [
  ...showCheck(job, now, "now"),
  showComment(now, "now"),
];
