/** How much was, and will be, spent in any stretch of a given length. Times in milliseconds; no clock of its own. */
interface Tick {
  readonly at: number;
  readonly cost: number;
}

export class SlidingWindow {
  readonly #limit: number;
  readonly #span: number;
  /** In the order of time; what was taken in advance lies in the future. */
  #ticks: Tick[] = [];

  constructor(limit: number, span: number) {
    this.#limit = limit;
    this.#span = span;
  }

  /** When this cost fits, behind everything that was taken before, in advance too. */
  next(from: number, cost: number): number {
    return this.#fit(Math.max(from, this.#ticks.at(-1)?.at ?? from), cost, this.#ticks);
  }

  /** When this cost fits, whatever was taken in advance for later. */
  free(from: number, cost: number): number {
    return this.#fit(
      from,
      cost,
      this.#ticks.filter((tick) => tick.at <= from),
    );
  }

  /** What may still be taken now; what was taken in advance is spoken for. */
  left(now: number): number {
    const live = this.#ticks.filter((tick) => tick.at > now - this.#span);
    return Math.max(0, this.#limit - live.reduce((sum, tick) => sum + tick.cost, 0));
  }

  take(at: number, cost: number, now: number): void {
    const kept = this.#ticks.filter((tick) => tick.at > now - this.#span);
    const behind = kept.findLastIndex((tick) => tick.at <= at) + 1;
    this.#ticks = kept.toSpliced(behind, 0, { at, cost });
  }

  /** Takes back what was taken at this time and not spent. */
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
