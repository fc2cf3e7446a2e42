/** Collects refusals: prints each distinct one once, and keeps them for the agent to ask for. */
import type { Refusal } from "../../src/contracts/egress.ts";

/** Bounds memory when a program tries one host after the other. */
const MOST_KEPT = 200;

export class Refusals {
  readonly #tell: (sentence: string) => void;
  readonly #kept: Refusal[] = [];
  readonly #said = new Set<string>();

  constructor(tell: (sentence: string) => void) {
    this.#tell = tell;
  }

  /** `reason`: without its full stop. */
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
