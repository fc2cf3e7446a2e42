/** Rules for GitHub's merge queue: entering it, following it there, and what follows when it throws the work out. */

import { counted } from "../../../text/plural.ts";
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
import { isOnActions, type Job } from "../job.ts";
import { exitOf, exitWords, type SeenExit } from "../merge-queue.ts";
import { failuresIn, type Verdict } from "../merge-verdict.ts";
import { WAITING } from "./merge-order.ts";
import { nextRound } from "./requesting.ts";
import { isWatched } from "./reviewing.ts";

/** The entry goes a moment before the pull request is merged, and its webhook may be under way. */
const SETTLE_MS = 500;
const AGAIN_MS = 5_000;
/** How often no reason may be known before it counts as another. */
const MOST_LOOKS = 5;
/** How often the commit that was tested may not be known, whose webhook comes apart. */
const MOST_LOOKS_FOR_TESTS = 2;
/** How often a round's work is put into the queue again. */
const MOST_EXITS = 3;
/** Rounds in a row that the queue's red checks may cause. */
const MOST_QUEUE_ROUNDS = 2;

const isQueued = (job: Job): job is Job & { readonly merge: Extract<Job["merge"], { state: "queued" }> } =>
  job.merge.state === "queued" && job.merged_at === null;

export interface MergeStep {
  readonly set: Partial<Job>;
  readonly effects: readonly WantedEffect[];
}

/** What the verdict on merging leads to where the queue is concerned; null: it is not. */
export function queueStep(job: Job, facts: Facts, { merge }: Verdict, refusals: number, now: number): MergeStep | null {
  const { head_sha: sha, pull_request_id, deletes_branch_on_merge: deletes_branch } = facts;
  const left_before = isQueued(job) ? job.merge.left_before : (facts.queue.left?.at ?? null);
  const entry = { state: "queued", sha, refusals, deletes_branch, left: null, left_before } as const;
  if (merge.how === "queued") {
    const entered_at = isQueued(job) ? (job.merge.entered_at ?? now) : now;
    return { set: { merge: { ...entry, entered_at, position: facts.queue.entry?.position ?? null } }, effects: [] };
  }
  if (merge.how !== "queue") return null;
  if (isQueued(job)) return { set: {}, effects: [] };
  return {
    set: {
      merge: { ...entry, entered_at: null, position: null },
      merge_queue: { ...job.merge_queue, group_sha: null },
    },
    effects: [atOnce({ type: "enqueue", sha, pull_request_id })],
  };
}

export function enqueued(job: Job, { sha, position, left }: Report<"enqueued">, { now }: Context): Decision {
  if (!isQueued(job) || job.merge.sha !== sha) return unchanged;
  const merge = { ...job.merge, entered_at: job.merge.entered_at ?? now, position };
  const effects = [
    showComment(now, "now"),
    ...(left ? [later({ type: "read-facts", runs: [] } as const, now + SETTLE_MS)] : []),
  ];
  return change(job, now, { set: { merge }, effects });
}

/** The event may be old, so it is only a reason to look; its reason counts if the entry is gone. */
export function dequeued(job: Job, { pull_request, reason, by }: Report<"dequeued">, { now }: Context): Decision {
  if (!isWatched(job) || job.pull_request?.number !== pull_request) return unchanged;
  const set = isQueued(job)
    ? { merge: { ...job.merge, entered_at: job.merge.entered_at ?? now, left: { reason, by } } }
    : {};
  return change(job, now, { set, effects: [later({ type: "read-facts", runs: [] }, now + SETTLE_MS)] });
}

export function queueTests(job: Job, { pull_request, sha }: Report<"queue-tests">, { now }: Context): Decision {
  if (!isQueued(job) || job.pull_request?.number !== pull_request || job.merge_queue.group_sha === sha)
    return unchanged;
  return change(job, now, { set: { merge_queue: { ...job.merge_queue, group_sha: sha } } });
}

/** `judgeAgain`: the verdict as if it had never been in the queue. */
export function leftQueue(
  job: Job,
  facts: Facts,
  exit: SeenExit,
  context: Context,
  judgeAgain: (job: Job) => Decision,
): Decision {
  const { now } = context;
  const off = (why: string): Decision =>
    change(job, now, { set: { merge: { state: "off", why }, notice: null }, effects: showNow(job, now) });
  const looks = "refusals" in job.merge ? job.merge.refusals : 0;
  const lookAgain = (after: number): Decision =>
    change(job, now, {
      set: { merge: isQueued(job) ? { ...job.merge, refusals: looks + 1 } : job.merge },
      effects: [later({ type: "read-facts", runs: [] }, now + after)],
    });
  switch (exitOf(exit.reason)) {
    case "merged":
    case "gone":
      if (!isQueued(job) || looks >= MOST_LOOKS) break;
      return lookAgain(AGAIN_MS);
    case "person":
      return off(`${exit.by ?? "somebody"} has taken it out of the merge queue`);
    case "checks":
      return job.merge_queue.group_sha === null && looks < MOST_LOOKS_FOR_TESTS
        ? lookAgain(SETTLE_MS)
        : redInQueue(job, facts, context, off);
    default:
  }
  const exits = job.merge_queue.exits + 1;
  const why = exitWords(exit.reason);
  if (exits >= MOST_EXITS)
    return off(`the merge queue has thrown it out ${counted(exits, "time")}, last because ${why}`);
  return judgeAgain({ ...job, merge: WAITING, merge_queue: { ...job.merge_queue, exits, why } });
}

/** Another round, with the checks that the queue has seen fail; where that is not possible, a person must look. */
function redInQueue(job: Job, facts: Facts, context: Context, off: (why: string) => Decision): Decision {
  const { failed } = facts.queue;
  const { rounds } = job.merge_queue;
  const names = failed.map(({ name }) => name).join(", ");
  const why = `its checks failed in the merge queue${names === "" ? "" : `: ${names}`}`;
  if (!isOnActions(job) || rounds >= MOST_QUEUE_ROUNDS) return off(why);
  const { base } = facts;
  const asked = `The merge queue has tested this work merged with ${base}, and its checks failed there. Make them pass on top of what ${base} is now, without undoing what was asked for.`;
  const next = nextRound(job, asked, null, context);
  return next.kind === "refused"
    ? off(why)
    : andThen(next, (round) =>
        change(round, context.now, {
          set: {
            failure: failuresIn(failed) || `${why}.`,
            merge_queue: { ...job.merge_queue, exits: 0, rounds: rounds + 1, why },
            // nobody has asked for anything, so what was counted goes on
            catch_up: { ...round.catch_up, rounds: job.catch_up.rounds, failures: job.catch_up.failures },
          },
        }),
      );
}
