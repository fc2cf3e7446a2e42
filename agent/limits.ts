/**
 * The limits of one run: turns, minutes, money. Asked before a turn is spent, never after. The clock comes in.
 */
import { costCents } from "../src/wire/prices.ts";
import type { Stop } from "./stop.ts";

export interface Limits {
  readonly turns: number;
  readonly minutes: number;
  readonly cost_cents: number;
}

/** What the coming call would send and may answer, in tokens. */
export interface NextCall {
  /** Sent before, so read from the provider's cache. */
  readonly known: number;
  /** Sent for the first time: an estimate. */
  readonly fresh: number;
  readonly answer: number;
}

/** English and code come to about four characters a token; three keeps the estimate above the bill. */
export const tokensOf = (characters: number): number => Math.ceil(characters / 3);

/** The limit that forbids the next call, or null. A model without a known price is bound by turns and time alone. */
export function limitReached(run: {
  readonly limits: Limits;
  readonly model: string;
  readonly turns: number;
  /** Null: the model's price is not known. */
  readonly spentCents: number | null;
  readonly elapsedMs: number;
  readonly next: NextCall;
}): Stop | null {
  const { limits, model, spentCents } = run;
  if (run.turns >= limits.turns) return { kind: "out_of_turns", turns: limits.turns };
  if (run.elapsedMs >= limits.minutes * 60_000) return { kind: "out_of_time", minutes: limits.minutes };
  const nextCents = costCents(model, {
    input_tokens: 0,
    cache_read_tokens: run.next.known,
    cache_write_tokens: run.next.fresh,
    output_tokens: run.next.answer,
  });
  if (spentCents === null || nextCents === null || spentCents + nextCents <= limits.cost_cents) return null;
  return { kind: "over_budget", capCents: limits.cost_cents, spentCents, nextCents };
}
