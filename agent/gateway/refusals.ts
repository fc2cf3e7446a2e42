/** Collects refusals: prints each distinct one once, and keeps them for the agent to ask for. */
import type { Refusal } from "../../src/contracts/egress.ts";

/** Bounds memory when a program tries one host after the other. */
const MAX_KEPT = 200;

export class Refusals {
  readonly #print: (sentence: string) => void;
  readonly #kept: Refusal[] = [];
  readonly #printed = new Set<string>();

  constructor(print: (sentence: string) => void) {
    this.#print = print;
  }

  /** `reason`: without its full stop. */
  add(reason: string): void {
    const sentence = `Blocked: ${reason}.`;
    if (this.#printed.has(sentence) || this.#kept.length >= MAX_KEPT) return;
    this.#printed.add(sentence);
    this.#kept.push({ seq: this.#kept.length + 1, sentence });
    this.#print(sentence);
  }

  after(seq: number): readonly Refusal[] {
    return this.#kept.slice(Math.max(0, seq));
  }
}
