/** Deadlines that are all equally far away: any number of them, one timer, since the oldest is always the next. */
import type { Clock } from "../engine/ports/clock.ts";

interface Deadline {
  readonly at: number;
  readonly over: () => void;
}

export class Timeouts {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In the order in which they were set, and in which they end. */
  readonly #set = new Set<Deadline>();
  #armed = false;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls back once when the time is over, unless what it answers is called before. */
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
    // before anybody is called back, who may set the next one
    this.#armed = false;
    const [next] = this.#set;
    if (next !== undefined) this.#arm(next.at);
    for (const { over } of due) over();
  }
}
