/**
 * Counts the run's tokens and their cost. Every answer is charged, so every answer counts, usable or not. The price is
 * computed per call, since some models cost more for long prompts.
 */
import { costCents } from "../../src/contracts/models.ts";
import { NO_USAGE, type Usage } from "../../src/contracts/result.ts";

/** Tokens of one call, as the provider counts them. */
export interface Charged {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens?: number | null | undefined;
  readonly cache_creation_input_tokens?: number | null | undefined;
}

export class UsageCounter {
  readonly #model: string;
  #usage: Usage = NO_USAGE;
  #cents: number | null = 0;
  /** Tokens that the next call sends again: the last call and its answer. */
  #known = 0;

  constructor(model: string) {
    this.#model = model;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** Null when the model's price is unknown. */
  get cents(): number | null {
    return this.#usage === NO_USAGE ? costCents(this.#model, NO_USAGE) : this.#cents;
  }

  get known(): number {
    return this.#known;
  }

  add(used: Charged): void {
    this.#count(used, 1);
    this.#known =
      used.input_tokens +
      (used.cache_read_input_tokens ?? 0) +
      (used.cache_creation_input_tokens ?? 0) +
      used.output_tokens;
  }

  /** An interrupted answer: its tokens are charged, but it is not a turn, since it is requested again. */
  addBroken(used: Charged): void {
    this.#count(used, 0);
  }

  /** Old outputs were removed from the conversation: at least this many tokens. */
  forget(tokens: number): void {
    this.#known = Math.max(0, this.#known - tokens);
  }

  #count(used: Charged, turns: number): void {
    const call = {
      input_tokens: used.input_tokens,
      output_tokens: used.output_tokens,
      cache_read_tokens: used.cache_read_input_tokens ?? 0,
      cache_write_tokens: used.cache_creation_input_tokens ?? 0,
    };
    const cents = costCents(this.#model, call);
    this.#cents = cents === null || this.#cents === null ? null : this.#cents + cents;
    this.#usage = {
      turns: this.#usage.turns + turns,
      input_tokens: this.#usage.input_tokens + call.input_tokens,
      output_tokens: this.#usage.output_tokens + call.output_tokens,
      cache_read_tokens: this.#usage.cache_read_tokens + call.cache_read_tokens,
      cache_write_tokens: this.#usage.cache_write_tokens + call.cache_write_tokens,
    };
  }
}
