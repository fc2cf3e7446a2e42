/** The limits of a run: turns, minutes, cost. Checked before each turn. The caller passes the time. */
import { costCents } from "../../src/contracts/models.ts";
import type { Stop } from "./stop-reasons.ts";

export interface Limits {
  readonly turns: number;
  readonly minutes: number;
  readonly cost_cents: number;
}

/** Tokens that the next call would send and may receive. */
export interface NextCall {
  /** Sent before, so read from the provider's cache. */
  readonly known: number;
  /** Sent for the first time; an estimate. */
  readonly fresh: number;
  readonly answer: number;
}

/** English text and code have about four characters per token; dividing by three keeps the estimate above the bill. */
export const tokensOf = (characters: number): number => Math.ceil(characters / 3);

/** A budget that pays for a shorter answer counts as spent, since the answer would be cut. */
const MIN_ANSWER_TOKENS = 4_096;

/** The tokens that the next answer may have, or the limit that forbids the call. */
export type Allowed =
  | { readonly kind: "allowed"; readonly answer: number }
  | { readonly kind: "stop"; readonly stop: Stop };

/** A model without a known price is limited by turns and time only. */
export function allowNext(run: {
  readonly limits: Limits;
  readonly model: string;
  readonly turns: number;
  /** Null when the model's price is unknown. */
  readonly spentCents: number | null;
  readonly elapsedMs: number;
  readonly next: NextCall;
}): Allowed {
  const { limits, spentCents } = run;
  if (run.turns >= limits.turns) return stopped({ kind: "out_of_turns", turns: limits.turns });
  if (run.elapsedMs >= limits.minutes * 60_000) return stopped({ kind: "out_of_time", minutes: limits.minutes });
  const { answer } = run.next;
  const wholeCents = centsWith(run, answer);
  if (spentCents === null || wholeCents === null) return { kind: "allowed", answer };
  const rest = limits.cost_cents - spentCents;
  if (wholeCents <= rest) return { kind: "allowed", answer };
  const emptyCents = centsWith(run, 0) ?? 0;
  const affordable = Math.floor(((rest - emptyCents) * answer) / (wholeCents - emptyCents));
  const least = Math.min(MIN_ANSWER_TOKENS, answer);
  if (affordable >= least) return { kind: "allowed", answer: affordable };
  const nextCents = centsWith(run, least) ?? wholeCents;
  return stopped({ kind: "over_budget", capCents: limits.cost_cents, spentCents, nextCents });
}

const stopped = (stop: Stop): Allowed => ({ kind: "stop", stop });

const centsWith = ({ model, next }: { readonly model: string; readonly next: NextCall }, answer: number) =>
  costCents(model, {
    input_tokens: 0,
    cache_read_tokens: next.known,
    cache_write_tokens: next.fresh,
    output_tokens: answer,
  });
