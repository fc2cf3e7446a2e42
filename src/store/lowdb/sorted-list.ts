/** A list in order. Adding at the end is free; elsewhere it moves the items behind, which memory does fast. */
export class SortedList<T extends Key, Key = T> {
  readonly #items: T[] = [];
  readonly #compare: (a: Key, b: Key) => number;

  constructor(compare: (a: Key, b: Key) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#items.length;
  }

  at(position: number): T | undefined {
    return this.#items[position];
  }

  add(item: T): void {
    const last = this.#items.at(-1);
    if (last === undefined || this.#compare(last, item) < 0) this.#items.push(item);
    else this.#items.splice(this.positionOf(item), 0, item);
  }

  remove(item: T): void {
    const position = this.positionOf(item);
    if (this.#items[position] === item) this.#items.splice(position, 1);
  }

  /** Drops all others, in one pass. */
  keep(wanted: (item: T) => boolean): void {
    let kept = 0;
    for (const item of this.#items) if (wanted(item)) this.#items[kept++] = item;
    this.#items.length = kept;
  }

  /** Where this key stands or would stand: the count of items before it. */
  positionOf(key: Key): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.#items[middle];
      if (candidate !== undefined && this.#compare(candidate, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
