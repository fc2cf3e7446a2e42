/** Collects a command's output in bounded memory: head and tail for the model, the whole in a file. */
import { createWriteStream, type WriteStream } from "node:fs";
import { counted } from "../../src/text/plural.ts";
import { MAX_ANSWER } from "./tool-result.ts";

/** Bytes of one command's output that the file keeps. */
const MAX_FILE = 20 * 1024 * 1024;
/** Half of a tool result, less room for the note in the middle. */
const KEEP = MAX_ANSWER / 2 - 200;

export class Output {
  readonly #path: string;
  #file: WriteStream | null = null;
  #held: Buffer[] = [];
  #head = Buffer.alloc(0);
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #total = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    const room = KEEP - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, room)]);
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length > 0) this.#addTail(rest);
    if (this.#total <= MAX_FILE) this.#spill(chunk);
  }

  /** The output for the model. Names the file only when something was left out. */
  async close(): Promise<string> {
    if (this.#file) await new Promise<void>((resolve) => this.#file?.end(() => resolve()));
    const tail = Buffer.concat(this.#tail);
    const kept = tail.subarray(Math.max(0, tail.length - KEEP));
    const left = this.#total - this.#head.length - kept.length;
    if (left === 0) return Buffer.concat([this.#head, kept]).toString();
    const where = this.#total > MAX_FILE ? "the beginning is" : "the whole is";
    return `${this.#head.toString()}\n[… ${counted(left, "byte")} left out, ${where} in ${this.#path} …]\n${kept.toString()}`;
  }

  #addTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    while (this.#tail.length > 1 && this.#tailBytes - (this.#tail[0]?.length ?? 0) >= KEEP) {
      this.#tailBytes -= this.#tail.shift()?.length ?? 0;
    }
  }

  /** Creates the file only for long outputs, which are rare. */
  #spill(chunk: Buffer): void {
    if (this.#total <= KEEP * 2) {
      this.#held.push(chunk);
      return;
    }
    if (this.#file === null) {
      this.#file = createWriteStream(this.#path, { mode: 0o600 });
      // A full disk costs the copy but not the tool result.
      this.#file.on("error", () => {});
      for (const held of this.#held) this.#file.write(held);
      this.#held = [];
    }
    this.#file.write(chunk);
  }
}
