/**
 * All reasons for which the agent stops, and the outcome of each. The loop returns one of these values; an exception is
 * a bug and becomes `crashed`.
 */

import type { Decision } from "../../src/contracts/conflicts.ts";
import type { Outcome, PermanentError } from "../../src/contracts/result.ts";
import type { Reply } from "../../src/contracts/review.ts";
import { counted } from "../../src/text/plural.ts";

export type Stop =
  /** The model called `finish`. */
  | {
      readonly kind: "finished";
      readonly outcome: FinishOutcome;
      readonly title: string;
      readonly body: string;
      /** Answers to the comments of a review. */
      readonly replies: readonly Reply[];
      /** What counts of files that conflict without a marker. */
      readonly conflicts: readonly Decision[];
    }
  /** The provider's own safety system ended the answer. */
  | { readonly kind: "refused_by_provider"; readonly text: string }
  | { readonly kind: "out_of_turns"; readonly turns: number }
  | { readonly kind: "out_of_time"; readonly minutes: number }
  | { readonly kind: "over_budget"; readonly capCents: number; readonly spentCents: number; readonly nextCents: number }
  | { readonly kind: "conversation_full" }
  | { readonly kind: "bad_format"; readonly times: number; readonly last: string }
  | { readonly kind: "cancelled"; readonly by: string }
  | { readonly kind: "provider_down"; readonly reason: string }
  /** `permanent`: null when the next attempt may succeed. */
  | { readonly kind: "misconfigured"; readonly permanent: PermanentError | null; readonly reason: string }
  | { readonly kind: "crashed"; readonly reason: string };

export const FINISH_OUTCOMES = ["done", "nothing_to_do", "question", "refused"] as const;
export type FinishOutcome = (typeof FINISH_OUTCOMES)[number];

const cents = (value: number): string => `${value.toFixed(1)} cents`;

export const permanentErrorOf = (stop: Stop): PermanentError | null =>
  stop.kind === "misconfigured" ? stop.permanent : null;

/** The stop as the result shows it: an outcome, and a reason unless the model finished by itself. */
export function describeStop(stop: Stop): { readonly outcome: Outcome; readonly reason?: string } {
  switch (stop.kind) {
    case "finished":
      return { outcome: stop.outcome };
    case "refused_by_provider":
      return { outcome: "refused", reason: "The model's provider declined to go on with this task." };
    case "out_of_turns":
      return { outcome: "limit", reason: `Stopped at the limit of ${counted(stop.turns, "turn")}.` };
    case "out_of_time":
      return { outcome: "limit", reason: `Stopped at the limit of ${counted(stop.minutes, "minute")}.` };
    case "over_budget":
      return {
        outcome: "limit",
        reason:
          `Stopped before the cost limit of ${cents(stop.capCents)}: ${cents(stop.spentCents)} are spent ` +
          `and the next turn may cost ${cents(stop.nextCents)}.`,
      };
    case "conversation_full":
      return { outcome: "limit", reason: "Stopped: the conversation no longer fits the model's window." };
    case "bad_format":
      return { outcome: "failed", reason: `${stop.times} answers in a row could not be used. The last: ${stop.last}` };
    case "cancelled":
      return { outcome: "failed", reason: `Cancelled while it ran (${stop.by}).` };
    case "provider_down":
    case "misconfigured":
      return { outcome: "failed", reason: stop.reason };
    case "crashed":
      return { outcome: "failed", reason: `The agent crashed: ${stop.reason}` };
    default:
      return stop satisfies never;
  }
}
