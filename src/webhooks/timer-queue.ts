/** A timer queue: any number of scheduled items share one timer, set to the earliest. */
import type { Clock } from "../engine/ports/clock.ts";

interface Entry<T> {
  readonly at: number;
  readonly item: T;
}

export class TimerQueue<T> {
  readonly #clock: Clock;
  readonly #due: (items: readonly T[]) => void;
  /** A binary min-heap. */
  readonly #heap: Entry<T>[] = [];
  #armed: { readonly at: number; readonly cancel: () => void } | null = null;
  #stopped = false;

  /** `due` receives all items that are due. */
  constructor(clock: Clock, due: (items: readonly T[]) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: T, at: number): void {
    this.#heap.push({ at, item });
    this.#rise(this.#heap.length - 1);
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#armed?.cancel();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (this.#stopped || first === undefined || (this.#armed !== null && this.#armed.at <= first.at)) return;
    this.#armed?.cancel();
    this.#armed = { at: first.at, cancel: this.#clock.at(first.at, () => this.#ring()) };
  }

  #ring(): void {
    this.#armed = null;
    const now = this.#clock.now();
    const items: T[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      items.push(first.item);
      this.#removeFirst();
    }
    this.#arm();
    if (items.length > 0) this.#due(items);
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #at(position: number): number {
    return this.#heap[position]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }

  #rise(from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#at(parent) <= this.#at(child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #sink(from: number): void {
    for (let parent = from; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = this.#at(left) <= this.#at(right) ? left : right;
      if (this.#at(parent) <= this.#at(child)) return;
      this.#swap(parent, child);
      parent = child;
    }
  }
}
