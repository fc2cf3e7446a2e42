/** What the proxy has refused, each sentence once, for the agent that asks what is new. */
import type { Refusal } from "../../src/wire/egress.ts";

/** A program that tries one host after the other must not fill the memory. */
const MOST_KEPT = 200;

export class Refusals {
  readonly #kept: Refusal[] = [];
  readonly #said = new Set<string>();

  /** Answers whether it is the first time. */
  add(sentence: string): boolean {
    if (this.#said.has(sentence) || this.#kept.length >= MOST_KEPT) return false;
    this.#said.add(sentence);
    this.#kept.push({ seq: this.#kept.length + 1, sentence });
    return true;
  }

  after(seq: number): readonly Refusal[] {
    return this.#kept.slice(Math.max(0, seq));
  }
}
