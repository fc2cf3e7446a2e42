/** A sorted list in blocks: inserting and removing move only the items of one block. Appending is cheapest. */
const MAX_BLOCK = 512;

export class SortedList<T extends Key, Key = T> {
  /** No block is empty. */
  #blocks: T[][] = [];
  #length = 0;
  readonly #compare: (a: Key, b: Key) => number;

  constructor(compare: (a: Key, b: Key) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#length;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const block of this.#blocks) yield* block;
  }

  at(position: number): T | undefined {
    let before = 0;
    for (const block of this.#blocks) {
      if (position < before + block.length) return block[position - before];
      before += block.length;
    }
    return undefined;
  }

  add(item: T): void {
    this.#length += 1;
    const tail = this.#blocks.at(-1);
    const last = tail?.at(-1);
    if (tail === undefined || last === undefined || this.#compare(last, item) < 0) {
      if (tail !== undefined && tail.length < MAX_BLOCK) tail.push(item);
      else this.#blocks.push([item]);
      return;
    }
    const number = this.#blockOf(item);
    const block = this.#blocks[number] ?? tail;
    block.splice(this.#placeIn(block, item), 0, item);
    if (block.length > MAX_BLOCK) this.#blocks.splice(number + 1, 0, block.splice(block.length >>> 1));
  }

  remove(item: T): void {
    const number = this.#blockOf(item);
    const block = this.#blocks[number];
    const place = block === undefined ? 0 : this.#placeIn(block, item);
    if (block?.[place] !== item) return;
    block.splice(place, 1);
    this.#length -= 1;
    if (block.length === 0) this.#blocks.splice(number, 1);
  }

  /** Removes all other items in one pass. */
  keep(wanted: (item: T) => boolean): void {
    this.#blocks = this.#blocks.map((block) => block.filter(wanted)).filter((block) => block.length > 0);
    this.#length = this.#blocks.reduce((sum, block) => sum + block.length, 0);
  }

  /** The position of this key: the number of items before it. */
  positionOf(key: Key): number {
    const number = this.#blockOf(key);
    let before = 0;
    for (let earlier = 0; earlier < number; earlier++) before += this.#blocks[earlier]?.length ?? 0;
    const block = this.#blocks[number];
    return block === undefined ? before : before + this.#placeIn(block, key);
  }

  /** The first block that does not end before this key; the number of blocks when all do. */
  #blockOf(key: Key): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = this.#blocks[middle]?.at(-1);
      if (end !== undefined && this.#compare(end, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #placeIn(block: readonly T[], key: Key): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = block[middle];
      if (candidate !== undefined && this.#compare(candidate, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
