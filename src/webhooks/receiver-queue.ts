/**
 * The queue of one receiver, with slow start: one request at a time until it succeeds, then more, and back to one after
 * a failure or a slow response. Pauses after several failures in a row. So a hanging receiver blocks one slot, not all.
 */

/** Concurrent requests to one receiver. */
export const MAX_PER_RECEIVER = 16;
/** Failures in a row before the queue pauses between attempts. */
const FAILURES_BEFORE_PAUSE = 3;
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 300_000;

export class ReceiverQueue<T> {
  readonly key: string;
  /** Waiting items from `#head` on; shifting the array would cost its whole length each time. */
  #items: T[] = [];
  #head = 0;
  #window = 1;
  #failures = 0;
  #under_way = 0;
  /** Paused until then. */
  resting_until = 0;

  constructor(key: string) {
    this.key = key;
  }

  get waiting(): number {
    return this.#items.length - this.#head;
  }

  get idle(): boolean {
    return this.waiting === 0 && this.#under_way === 0;
  }

  get failing(): boolean {
    return this.#failures > 0;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Whether another request may start. */
  hasRoom(now: number): boolean {
    return this.waiting > 0 && this.#under_way < this.#window && this.resting_until <= now;
  }

  take(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    this.#under_way += 1;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** A request is slow: no others start until it ends. */
  slow(): void {
    this.#window = 1;
  }

  /** `busy_until`: the receiver has asked for silence until then. */
  ended(well: boolean, quick: boolean, now: number, busy_until: number | null = null): void {
    this.#under_way -= 1;
    if (well) {
      this.#failures = 0;
      this.#window = quick ? Math.min(this.#window + 1, MAX_PER_RECEIVER) : 1;
      return;
    }
    this.#failures += 1;
    this.#window = 1;
    const rest = FIRST_PAUSE_MS * 2 ** (this.#failures - FAILURES_BEFORE_PAUSE);
    if (this.#failures >= FAILURES_BEFORE_PAUSE) this.resting_until = now + Math.min(rest, MAX_PAUSE_MS);
    this.resting_until = Math.max(this.resting_until, busy_until ?? 0);
  }
}
