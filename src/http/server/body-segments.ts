/** Collects a body in few large buffers, however small the chunks in which it arrives. */

const SEGMENT_BYTES = 256 * 1024;

export class Segments {
  /** Full ones; the last is as far as it goes. */
  #full: Buffer[] = [];
  #current: Buffer;
  #used = 0;
  #size = 0;

  /** `expected`: as long as the body is to be; 0: nobody knows. */
  constructor(expected: number) {
    this.#current = Buffer.allocUnsafeSlow(Math.min(expected, SEGMENT_BYTES));
  }

  get size(): number {
    return this.#size;
  }

  add(chunk: Buffer): void {
    this.#size += chunk.length;
    let taken = 0;
    while (taken < chunk.length) {
      if (this.#used === this.#current.length) {
        this.#full.push(this.#current);
        this.#current = Buffer.allocUnsafeSlow(SEGMENT_BYTES);
        this.#used = 0;
      }
      const copied = chunk.copy(this.#current, this.#used, taken);
      taken += copied;
      this.#used += copied;
    }
  }

  clear(): void {
    this.#full = [];
    this.#current = Buffer.alloc(0);
    this.#used = 0;
  }

  parts(): readonly Buffer[] {
    return [...this.#full, this.#current.subarray(0, this.#used)];
  }

  text(): string {
    const parts = this.parts();
    return (parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString("utf8") ?? "";
  }
}
