/**
 * The run's limit of cost, kept by reservation: a call is made only if the most that it can cost still fits, and what it
 * did cost takes the reservation's place. Pure: it knows nothing of requests.
 */
import type { CostLimit, Spent } from "../../src/contracts/gateway.ts";
import { costCents, dearestCents } from "../../src/contracts/models.ts";
import type { Usage } from "../../src/contracts/result.ts";

export type CallUsage = Omit<Usage, "turns">;

/** An answer that is cut before this many tokens is of no use; a call that asks for less is asked for as it is. */
export const LEAST_ANSWER = 1_024;

/** What a call may use at most. */
export interface Bound {
  /** Unless it is the run's own: one that works in its place. */
  readonly model?: string;
  readonly input: number;
  readonly output: number;
}

export interface Reservation extends Bound {
  /** Null: there is no price. */
  readonly cents: number | null;
}

export type Reserved =
  /** `output`: tokens that its answer may have, as wanted or fewer. */
  | { readonly kind: "reserved"; readonly reservation: Reservation }
  /** It would fit if the calls under way cost nothing. */
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
  /** A call was made for a model whose price is not known. */
  #unpriced = false;

  /** `hasPrice`: false for a model of the repository's own, which no table knows and nobody bills by ours. */
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

  /** Without lowering anything. */
  fits(wanted: Bound): boolean {
    const whole = this.#cost(wanted);
    return whole === null || whole <= this.#capCents - this.#cents - this.#reservedCents();
  }

  /** What cannot be told apart before the answer is taken for the dearest: all of the input is written to the cache. */
  reserve(wanted: Bound): Reserved {
    const whole = this.#cost(wanted);
    if (whole === null) return this.#keep({ ...wanted, cents: null });
    const left = this.#capCents - this.#cents;
    const free = left - this.#reservedCents();
    if (whole <= free) return this.#keep({ ...wanted, cents: whole });
    const lowered = { ...wanted, output: this.#fitting(wanted, free) };
    const least = Math.min(wanted.output, LEAST_ANSWER);
    if (lowered.output >= least) return this.#keep({ ...lowered, cents: this.#cost(lowered) });
    const next = this.#cost({ ...wanted, output: least }) ?? 0;
    if (next <= left) return { kind: "busy" };
    return { kind: "over", limit: { cap_cents: this.#capCents, spent_cents: this.#cents, next_cents: next } };
  }

  /** The call was not made, or not charged. */
  release(reservation: Reservation): void {
    this.#underWay.delete(reservation);
  }

  /** Settled once; `usage`: what the provider has charged. */
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

  /** A model whose price is not known is bound by the dearest that is: newer is not a way around the limit. */
  #priceOf(model: string, usage: CallUsage): number | null {
    return costCents(model, usage) ?? (this.#hasPrice ? dearestCents(usage) : null);
  }

  /** The longest answer that so much pays for; a price is linear in the answer once the input is known. */
  #fitting(wanted: Bound, cents: number): number {
    const fixed = this.#cost({ ...wanted, output: 0 }) ?? 0;
    const each = (this.#cost({ ...wanted, output: 1 }) ?? 0) - fixed;
    if (each <= 0 || cents <= fixed) return 0;
    // One less than the quotient, which may be rounded up.
    return Math.max(0, Math.floor((cents - fixed) / each) - 1);
  }
}
