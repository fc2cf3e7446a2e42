/**
 * A sliding-window counter that supports reservations in the future. Times are in milliseconds; the caller passes the
 * clock.
 */
interface Tick {
  readonly at: number;
  readonly cost: number;
}

export class SlidingWindow {
  readonly #limit: number;
  readonly #span: number;
  /** Ordered by time; reservations lie in the future. */
  #ticks: Tick[] = [];

  constructor(limit: number, span: number) {
    this.#limit = limit;
    this.#span = span;
  }

  /** The earliest time at which this cost fits after all existing reservations. */
  next(from: number, cost: number): number {
    return this.#fit(Math.max(from, this.#ticks.at(-1)?.at ?? from), cost, this.#ticks);
  }

  /** The earliest time at which this cost fits, ignoring later reservations. */
  free(from: number, cost: number): number {
    return this.#fit(
      from,
      cost,
      this.#ticks.filter((tick) => tick.at <= from),
    );
  }

  /** What is free now; reservations count as used. */
  left(now: number): number {
    const live = this.#ticks.filter((tick) => tick.at > now - this.#span);
    return Math.max(0, this.#limit - live.reduce((sum, tick) => sum + tick.cost, 0));
  }

  take(at: number, cost: number, now: number): void {
    const kept = this.#ticks.filter((tick) => tick.at > now - this.#span);
    const behind = kept.findLastIndex((tick) => tick.at <= at) + 1;
    this.#ticks = kept.toSpliced(behind, 0, { at, cost });
  }

  /** Returns unused cost that was booked for this time. */
  give(at: number, cost: number): void {
    let left = cost;
    this.#ticks = this.#ticks.flatMap((tick) => {
      if (tick.at !== at || left === 0) return [tick];
      const given = Math.min(left, tick.cost);
      left -= given;
      return given === tick.cost ? [] : [{ at, cost: tick.cost - given }];
    });
  }

  #fit(from: number, cost: number, ticks: readonly Tick[]): number {
    const live = ticks.filter((tick) => tick.at > from - this.#span);
    let spent = live.reduce((sum, tick) => sum + tick.cost, 0);
    let at = from;
    for (const tick of live) {
      if (spent + cost <= this.#limit) break;
      spent -= tick.cost;
      at = Math.max(at, tick.at + this.#span);
    }
    return at;
  }
}
