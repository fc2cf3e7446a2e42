/** What was refused, each sentence once: told as it comes, and kept for the agent that asks what is new. */
import type { Refusal } from "../../src/contracts/egress.ts";

/** A program that tries one host after the other must not fill the memory. */
const MOST_KEPT = 200;

export class Refusals {
  readonly #tell: (sentence: string) => void;
  readonly #kept: Refusal[] = [];
  readonly #said = new Set<string>();

  constructor(tell: (sentence: string) => void) {
    this.#tell = tell;
  }

  /** `reason`: without a stop at its end. */
  add(reason: string): void {
    const sentence = `Not let through: ${reason}.`;
    if (this.#said.has(sentence) || this.#kept.length >= MOST_KEPT) return;
    this.#said.add(sentence);
    this.#kept.push({ seq: this.#kept.length + 1, sentence });
    this.#tell(sentence);
  }

  after(seq: number): readonly Refusal[] {
    return this.#kept.slice(Math.max(0, seq));
  }
}
