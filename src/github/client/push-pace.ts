/**
 * Paces pushes by repository: GitHub advises at most six a minute (github-facts 14.1). The first of an idle repository go
 * at once, the others one by one, first come first served.
 */
import { LRUCache } from "lru-cache";
import { SlidingWindow } from "./sliding-window.ts";
import { BudgetSpent } from "./throttle.ts";
import { Turns } from "./turns.ts";
import { MINUTE_MS } from "./write-budget.ts";

/** Repositories with a push in the last minute. */
const MAX_REPOSITORIES = 10_000;

const REASON = "GitHub advises few pushes a minute to one repository, so this one waits for its turn.";

/** A push whose turn comes. */
export interface PushTurn {
  /** Owner and name. */
  readonly repository: string;
  /** Who would wait longer does not come back. */
  readonly most_ms?: number;
}

export class PushPace {
  /** `max` would allocate room for all of them at once. */
  readonly #turns = new LRUCache<string, Turns>({ maxSize: MAX_REPOSITORIES, sizeCalculation: () => 1 });
  readonly #now: () => number;
  readonly #per_minute: number;

  constructor(now: () => number, per_minute: number) {
    this.#now = now;
    this.#per_minute = per_minute;
  }

  /** Milliseconds until a push to this repository could begin. */
  wait(repository: string): number {
    return this.#turnsOf(repository).wait(1, this.#now());
  }

  /** Runs work that may push; throws `BudgetSpent` before it begins when its turn is later. `pushed`: it did. */
  async run<T>(
    { repository, most_ms }: PushTurn,
    key: string,
    work: () => Promise<T>,
    pushed: () => boolean,
  ): Promise<T> {
    const turns = this.#turnsOf(repository);
    const now = this.#now();
    const after_ms = turns.reserve(key, 1, now, most_ms);
    if (after_ms > 0) throw new BudgetSpent(after_ms, REASON);
    try {
      return await work();
    } finally {
      if (!pushed()) turns.give(now, 1);
    }
  }

  #turnsOf(repository: string): Turns {
    const name = repository.toLowerCase();
    const known = this.#turns.get(name) ?? new Turns([new SlidingWindow(this.#per_minute, MINUTE_MS)], 0);
    this.#turns.set(name, known);
    return known;
  }
}
