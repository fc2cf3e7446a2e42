/**
 * Enforces the run's cost limit by reservation: a call is allowed only if its maximum cost still fits; its actual cost
 * then replaces the reservation. Pure; independent of HTTP.
 */
import type { CostLimit, Spent } from "../../src/contracts/gateway.ts";
import { costCents, highestCents } from "../../src/contracts/models.ts";
import type { Usage } from "../../src/contracts/result.ts";

export type CallUsage = Omit<Usage, "turns">;

/**
 * Tokens. A shorter answer is useless, so an answer is never cut below this; a call that asks for less gets what it
 * asks for.
 */
export const MIN_ANSWER = 1_024;

/** Upper bounds on the usage of a call. */
export interface Bound {
  /** Set when a model other than the run's own serves the call. */
  readonly model?: string;
  readonly input: number;
  readonly output: number;
}

export interface Reservation extends Bound {
  /** Null when the price is unknown. */
  readonly cents: number | null;
}

export type Reserved =
  /** `output`: the tokens that the answer may have, at most as many as wanted. */
  | { readonly kind: "reserved"; readonly reservation: Reservation }
  /** It would fit if the calls in progress cost nothing. */
  | { readonly kind: "busy" }
  | { readonly kind: "over"; readonly limit: CostLimit };

const NOTHING: CallUsage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

export class Budget {
  readonly #model: string;
  readonly #capCents: number;
  readonly #hasPrice: boolean;
  readonly #underWay = new Set<Reservation>();
  #usage = NOTHING;
  #calls = 0;
  #cents = 0;
  /** A call used a model without a known price. */
  #unpriced = false;

  /** `hasPrice`: false for a model that the repository hosts itself, which has no list price. */
  constructor(model: string, capCents: number, hasPrice = true) {
    this.#model = model;
    this.#capCents = capCents;
    this.#hasPrice = hasPrice;
  }

  get spent(): Spent {
    const known = !this.#unpriced && costCents(this.#model, NOTHING) !== null;
    const cents = known ? this.#cents + this.#reservedCents() : null;
    return { cents, calls: this.#calls, usage: this.#usage };
  }

  /** Whether it fits without a shorter answer. */
  fits(wanted: Bound): boolean {
    const whole = this.#cost(wanted);
    return whole === null || whole <= this.#capCents - this.#cents - this.#reservedCents();
  }

  /** Assumes the dearest case: the whole input is written to the cache. */
  reserve(wanted: Bound): Reserved {
    const whole = this.#cost(wanted);
    if (whole === null) return this.#keep({ ...wanted, cents: null });
    const left = this.#capCents - this.#cents;
    const free = left - this.#reservedCents();
    if (whole <= free) return this.#keep({ ...wanted, cents: whole });
    const lowered = { ...wanted, output: this.#fitting(wanted, free) };
    const least = Math.min(wanted.output, MIN_ANSWER);
    if (lowered.output >= least) return this.#keep({ ...lowered, cents: this.#cost(lowered) });
    const next = this.#cost({ ...wanted, output: least }) ?? 0;
    if (next <= left) return { kind: "busy" };
    return { kind: "over", limit: { cap_cents: this.#capCents, spent_cents: this.#cents, next_cents: next } };
  }

  /** For a call that was not made or not charged. */
  release(reservation: Reservation): void {
    this.#underWay.delete(reservation);
  }

  /** Takes effect once. `usage`: what the provider charged. */
  settle(reservation: Reservation, usage: CallUsage): void {
    if (!this.#underWay.delete(reservation)) return;
    this.#calls += 1;
    const { model = this.#model } = reservation;
    this.#unpriced ||= costCents(model, NOTHING) === null;
    this.#cents += this.#priceOf(model, usage) ?? 0;
    this.#usage = {
      input_tokens: this.#usage.input_tokens + usage.input_tokens,
      output_tokens: this.#usage.output_tokens + usage.output_tokens,
      cache_read_tokens: this.#usage.cache_read_tokens + usage.cache_read_tokens,
      cache_write_tokens: this.#usage.cache_write_tokens + usage.cache_write_tokens,
    };
  }

  #keep(reservation: Reservation): Reserved {
    this.#underWay.add(reservation);
    return { kind: "reserved", reservation };
  }

  #reservedCents(): number {
    return [...this.#underWay].reduce((sum, { cents }) => sum + (cents ?? 0), 0);
  }

  #cost({ input, output, model = this.#model }: Bound): number | null {
    return this.#priceOf(model, { ...NOTHING, cache_write_tokens: input, output_tokens: output });
  }

  /** A model without a known price counts as the dearest known one, so that a newer model cannot bypass the limit. */
  #priceOf(model: string, usage: CallUsage): number | null {
    return costCents(model, usage) ?? (this.#hasPrice ? highestCents(usage) : null);
  }

  /**
   * The longest answer that the amount pays for. The price is linear in the answer's length once the input is known.
   */
  #fitting(wanted: Bound, cents: number): number {
    const fixed = this.#cost({ ...wanted, output: 0 }) ?? 0;
    const each = (this.#cost({ ...wanted, output: 1 }) ?? 0) - fixed;
    if (each <= 0 || cents <= fixed) return 0;
    // One less than the quotient, which may be rounded up.
    return Math.max(0, Math.floor((cents - fixed) / each) - 1);
  }
}
