/** Judges by the facts whether GitHub's merge queue takes a pull request, and why it has thrown one out. Pure. */
import type { Facts, QueueFacts } from "./facts.ts";
import type { Job } from "./job.ts";
import type { Reason } from "./reason.ts";

export interface QueueVerdict {
  readonly how: "queue" | "queued";
  readonly verdict: Reason["verdict"];
  readonly text: string;
}

const placeOf = (position: number | null): string => (position === null ? "" : `, position ${position}`);

/** Null: it is not in the queue. */
export const inQueue = ({ base, queue }: Facts): QueueVerdict | null =>
  queue.entry === null
    ? null
    : { how: "queued", verdict: "wait", text: `it is in the merge queue of ${base}${placeOf(queue.entry.position)}` };

const TAKEN = { how: "queue", verdict: "pass", text: "it can be added to the merge queue" } as const;

/**
 * Null: there is no queue, or it is not its turn yet. The queue brings a pull request up to date by itself. It is not
 * documented whether GitHub says BLOCKED of one that only the queue may merge, so such a one is tried, unless GitHub can
 * be told to add it once the rules are met.
 */
export function takenByQueue(facts: Facts, merge_state: string): QueueVerdict | null {
  if (!facts.queue.required) return null;
  switch (merge_state) {
    case "CLEAN":
    case "HAS_HOOKS":
    case "UNSTABLE":
    case "BEHIND":
      return TAKEN;
    case "BLOCKED": {
      const waits = facts.review === "required" || facts.auto_merge_enabled || facts.auto_merge_allowed;
      return waits ? null : TAKEN;
    }
    default:
      return null;
  }
}

/** `gone`: no reason is known yet. */
export type QueueExit = "merged" | "person" | "checks" | "timeout" | "conflict" | "other" | "gone";

/** Webhooks and the timeline spell the reasons differently, and those of the timeline are in no list. */
const EXITS: readonly (readonly [RegExp, QueueExit])[] = [
  [/^$/, "gone"],
  [/conflict/i, "conflict"],
  [/time(?:d_)?out/i, "timeout"],
  [/^(?:ci_failure|failed_checks|checks_failed)$/i, "checks"],
  [/^(?:merge|merged|already_merged)$/i, "merged"],
  [/^manual/i, "person"],
];

export const exitOf = (reason: string): QueueExit => EXITS.find(([words]) => words.test(reason))?.[1] ?? "other";

const WHY: Readonly<Record<QueueExit, string>> = {
  merged: "it was merged",
  person: "it was taken out by hand",
  checks: "its checks failed there",
  timeout: "its checks took too long there",
  conflict: "it conflicts with what is ahead of it",
  other: "GitHub could not merge it there",
  gone: "GitHub does not say why",
};

const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/cleared/i, "the queue was cleared"],
  [/roll_?back/i, "the queue was rolled back"],
  [/protection/i, "a rule of the branch was not met"],
];

/** Ends "thrown out of the merge queue: …". */
export const exitWords = (reason: string): string =>
  OTHERS.find(([words]) => words.test(reason))?.[1] ?? WHY[exitOf(reason)];

export interface SeenExit {
  readonly reason: string;
  readonly by: string | null;
}

/** Whether this exit is another one than the last before it was added. */
export const hasLeft = ({ merge }: Pick<Job, "merge">, left: QueueFacts["left"]): left is NonNullable<typeof left> =>
  merge.state === "queued" && left !== null && left.at > (merge.left_before ?? 0);

/** Why it is in the queue no more; null: it is, or was never seen there. A webhook's reason is surer than the timeline's. */
export function exitSeen(job: Pick<Job, "merge">, { queue }: Facts): SeenExit | null {
  const { merge } = job;
  if (merge.state !== "queued" || queue.entry !== null) return null;
  if (merge.left !== null) return merge.left;
  if (hasLeft(job, queue.left)) return { reason: queue.left.reason, by: null };
  return merge.entered_at === null ? null : { reason: "", by: null };
}

/** The first attempt of a round that the merge queue's red checks have caused. */
export const isOfQueueRound = (
  { merge_queue, catch_up }: Pick<Job, "merge_queue" | "catch_up">,
  { attempt }: { attempt: number },
): boolean => attempt === 1 && merge_queue.rounds > 0 && !catch_up.resolving;
