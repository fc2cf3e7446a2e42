/**
 * Rules for a pull request that conflicts with its base branch or is behind it: GitHub updates it, or a round of the job
 * resolves the conflicts, one pull request at a time for each base branch. After a few in vain a person is asked.
 */

import { counted } from "../../../text/plural.ts";
import type { CatchUp, Need, Turn } from "../catch-up.ts";
import { baseName, resolveByHand } from "../catching-up.ts";
import type { Report } from "../command.ts";
import {
  andThen,
  atOnce,
  type Context,
  change,
  type Decision,
  later,
  showComment,
  showNow,
  unchanged,
} from "../decision.ts";
import type { WantedEffect } from "../effect.ts";
import type { Facts } from "../facts.ts";
import { isFinal, type Job } from "../job.ts";
import { needsPerson, type Verdict } from "../merge-verdict.ts";
import { isOnTheirs } from "../target.ts";
import { nextRound } from "./requesting.ts";
import { isWatched } from "./reviewing.ts";

/** A base that moves all the time would have GitHub update for ever. */
export const MOST_UPDATES = 5;
/** Each costs a run of the agent; only those count that failed while the base stood still. */
export const MOST_FAILURES = 2;
/** However they ended, until a person asks for something. */
export const MOST_CONFLICT_ROUNDS = 5;
/** The new head is told by an event; this is for one that is lost. */
const UPDATE_MS = 60_000;
/** Before GitHub is asked again whether it conflicts, and how often. */
const AGAIN_MS = 5_000;
const MOST_UNKNOWN = 5;

const conflictTask = (job: Job): string =>
  `The pull request of this job conflicts with ${baseName(job)}. It was merged into the checkout before you began: resolve every conflict so that both sides keep what they were made for, and change nothing else.`;

const COUNTED = "two rounds to resolve them failed";

/** What these facts tell of rounds and updates before them. */
function noticed(job: Job, facts: Facts): CatchUp {
  const { catch_up } = job;
  if (facts.mergeable === "unknown") return { ...catch_up, unknown: catch_up.unknown + 1 };
  const known = { ...catch_up, unknown: 0, conflicts: facts.mergeable === "conflict" };
  if (!known.conflicts) return { ...known, resolving: false, disturbed: false, failures: 0 };
  if (!catch_up.resolving) return known;
  const moved = facts.base_sha !== null && facts.base_sha !== job.base.sha;
  const failures = catch_up.failures + (moved ? 0 : 1);
  return { ...known, resolving: false, disturbed: false, failures };
}

/** Why nothing more is done by itself; null: it is. */
function stuckNow(job: Job, { failures, rounds, updates }: CatchUp, need: Need): string | null {
  if (need === "update")
    return updates < MOST_UPDATES
      ? null
      : `${baseName(job)} has moved ${counted(updates, "time")} while this was done; press “Update branch”`;
  if (failures >= MOST_FAILURES) return `${COUNTED}, so ${resolveByHand(job)}`;
  return rounds < MOST_CONFLICT_ROUNDS
    ? null
    : `they were resolved ${counted(rounds, "time")} and ${baseName(job)} has moved each time; ${resolveByHand(job)}`;
}

/** It goes on to be merged with no person's help, so the next one waits for that. */
function isComing(facts: Facts, { work, merge }: Verdict): boolean {
  if (facts.state !== "open" || merge.never || facts.draft || facts.review === "changes_requested") return false;
  if (facts.mergeable === "unknown" || merge.how === "now") return true;
  const people = facts.checks.some(
    ({ ours, state }) => !ours && (state === "action_required" || state === "cancelled"),
  );
  if (work.verdict === "wait") return !people && !needsPerson(work) && facts.checks_complete;
  return merge.how === "auto" && facts.review !== "required";
}

const standsInLine = (need: Need, turn: Turn | null): Turn => ({
  need,
  taken_at: turn?.taken_at ?? null,
  after: turn?.after ?? null,
});

/** After facts were judged: what the pull request needs of its base, and what is done if it is its turn. */
export function lineUp(job: Job, facts: Facts, verdict: Verdict, context: Context): Decision {
  const { now } = context;
  if (!isWatched(job) || isOnTheirs(job)) return unchanged;
  const seen = noticed(job, facts);
  const { turn } = seen;
  const need = verdict.needs;
  const stuck = need === null ? null : stuckNow(job, seen, need);
  if (stuck !== null)
    return change(job, now, { set: { catch_up: { ...seen, stuck, turn: null } }, effects: asked(job, now) });
  if (need === null) {
    const kept = turn !== null && turn.taken_at !== null && isComing(facts, verdict) ? turn : null;
    const eased = facts.mergeable === "yes" && facts.merge_state !== "BEHIND" ? { ...seen, stuck: null } : seen;
    return change(job, now, {
      set: { catch_up: { ...eased, turn: kept } },
      effects: askAgain(job, seen, verdict, now),
    });
  }
  const inLine = { ...seen, turn: standsInLine(need, turn) };
  const waiting = change(job, now, { set: { catch_up: inLine } });
  if (inLine.turn.taken_at === null) return waiting;
  return andThen(waiting, (next) =>
    need === "update" ? update(next, facts.head_sha, now) : conflictRound(next, context),
  );
}

/** The reason that is shown is of the next reading, which follows at once. */
const asked = (job: Job, now: number): WantedEffect[] => [
  ...showNow(job, now),
  later({ type: "read-facts", runs: [] }, now),
];

/** Where nothing else is waited for; a green job asks again by itself. */
const askAgain = (job: Job, { unknown }: CatchUp, { work }: Verdict, now: number): WantedEffect[] =>
  job.status === "submitted" && unknown > 0 && unknown <= MOST_UNKNOWN && work.verdict === "wait"
    ? [later({ type: "read-facts", runs: [] }, now + AGAIN_MS)]
    : [];

/** GitHub merges the base into the branch; the new head is judged anew. */
function update(job: Job, sha: string, now: number): Decision {
  const { catch_up } = job;
  const { updating } = catch_up;
  if (updating !== null && updating.sha === sha && now < updating.at + UPDATE_MS) return unchanged;
  return change(job, now, {
    set: { catch_up: { ...catch_up, updating: { sha, at: now }, updates: catch_up.updates + 1 } },
    effects: [
      ...(job.merge.state === "auto" ? [atOnce({ type: "disable-auto-merge" })] : []),
      atOnce({ type: "update-branch", sha }),
      later({ type: "read-facts", runs: [] }, now + UPDATE_MS),
    ],
  });
}

function conflictRound(job: Job, context: Context): Decision {
  const { catch_up } = job;
  const began = nextRound(job, conflictTask(job), null, context);
  return andThen(began, (next) =>
    change(next, context.now, {
      set: {
        catch_up: { ...catch_up, resolving: true, rounds: catch_up.rounds + 1 },
        // nobody has asked for anything, so what was counted goes on
        merge_queue: { ...next.merge_queue, rounds: job.merge_queue.rounds },
      },
    }),
  );
}

/** Which pull request comes right before this one, by the order of all that wait; null: none does. */
export function turnCame(job: Job, { after }: Report<"turn">, { now }: Context): Decision {
  const { catch_up } = job;
  const { turn } = catch_up;
  if (turn === null || turn.taken_at !== null || !isWatched(job)) return unchanged;
  if (after === turn.after && after !== null) return unchanged;
  const next = { ...turn, after, taken_at: after === null ? now : null };
  const effects = after === null ? [atOnce({ type: "read-facts", runs: [] } as const)] : [showComment(now, "soon")];
  return change(job, now, { set: { catch_up: { ...catch_up, turn: next } }, effects });
}

/** GitHub did not update the branch. `sentence` null: something has moved, so it is looked at again. */
export function updateRefused(job: Job, report: Report<"update-refused">, { now }: Context): Decision {
  const { catch_up } = job;
  if (!isWatched(job) || catch_up.updating?.sha !== report.sha) return unchanged;
  const stuck = report.sentence;
  return change(job, now, {
    set: { catch_up: { ...catch_up, updating: null, stuck, turn: stuck === null ? catch_up.turn : null } },
    effects: [later({ type: "read-facts", runs: [] }, now + (stuck === null ? AGAIN_MS : 0))],
  });
}

/** The pull request's end may be told first. */
const DELETION_MS = 600_000;

/** GitHub closes its pull request, or gives it the base that the deleted branch was merged into. */
export function baseDeleted(job: Job, { branch }: Report<"base-deleted">, { now }: Context): Decision {
  if (job.base.branch !== branch || job.merged_at !== null || job.archived_at !== null) return unchanged;
  if (isFinal(job.status) && now - job.updated_at > DELETION_MS) return unchanged;
  const pull = job.pull_request === null ? "" : "GitHub closes its pull request then, or gives it another base. ";
  const notice = `Its base branch ${branch} was deleted. ${pull}Restore the branch and reopen the pull request, or start a new job.`;
  return change(job, now, { set: { notice }, effects: showNow(job, now) });
}
