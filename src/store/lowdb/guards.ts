/**
 * Versions of what decisions have seen beside their job. In memory: no decision outlives the process. Versions come from
 * one counter; a name that is not held has that of the newest that was let go of, so it never has an earlier one again.
 */
import type { Guard } from "../../engine/ports/jobs.ts";

const MAX_HELD = 10_000;

export class LowdbGuards {
  readonly #versions = new Map<string, number>();
  readonly #max: number;
  #last = 0;
  #let_go = 0;

  constructor(max = MAX_HELD) {
    this.#max = max;
  }

  read(keys: readonly string[]): readonly Guard[] {
    return keys.map((key) => ({ key, version: this.#of(key) }));
  }

  holds(guards: readonly Guard[]): boolean {
    return guards.every(({ key, version }) => this.#of(key) === version);
  }

  move(guards: readonly Guard[]): void {
    for (const { key } of guards) {
      this.#last += 1;
      this.#versions.delete(key);
      this.#versions.set(key, this.#last);
    }
    for (const [key, version] of this.#versions) {
      if (this.#versions.size <= this.#max) return;
      this.#versions.delete(key);
      this.#let_go = version;
    }
  }

  #of(key: string): number {
    return this.#versions.get(key) ?? this.#let_go;
  }
}
