/** Timeouts of equal length: any number of them share one timer, since the oldest always fires first. */
import type { Clock } from "../engine/ports/clock.ts";

interface Deadline {
  readonly at: number;
  readonly over: () => void;
}

export class Timeouts {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In the order in which they started, and in which they fire. */
  readonly #set = new Set<Deadline>();
  #armed = false;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `over` once after the time, unless the returned function is called before. */
  start(over: () => void): () => void {
    const deadline = { at: this.#clock.now() + this.#ms, over };
    this.#set.add(deadline);
    if (!this.#armed) this.#arm(deadline.at);
    return () => this.#set.delete(deadline);
  }

  #arm(at: number): void {
    this.#armed = true;
    this.#clock.at(at, () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    const due: Deadline[] = [];
    for (const deadline of this.#set) {
      if (deadline.at > now) break;
      due.push(deadline);
    }
    for (const deadline of due) this.#set.delete(deadline);
    // Before the callbacks, which may start new timeouts.
    this.#armed = false;
    const [next] = this.#set;
    if (next !== undefined) this.#arm(next.at);
    for (const { over } of due) over();
  }
}
