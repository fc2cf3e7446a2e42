/**
 * A list of the market queue, best job first. Remembers how far each agent has been offered jobs: the agent continues
 * there, after jobs that were added before that position since.
 */
import type { JobId } from "../../domain/job/job.ts";
import type { OfferFacts } from "../facts.ts";
import { SortedList } from "./sorted-list.ts";

export interface QueueCandidate {
  readonly facts: OfferFacts;
  readonly presented: ReadonlySet<string>;
  /** Whether it is in the lists: neither held nor gone. */
  listed: boolean;
}

interface Position {
  readonly facts: { readonly id: string; readonly price_cents: number; readonly created_at: number };
}

/** Highest price first, then oldest. */
export const byWorth = (a: Position, b: Position): number =>
  b.facts.price_cents - a.facts.price_cents ||
  a.facts.created_at - b.facts.created_at ||
  (a.facts.id < b.facts.id ? -1 : a.facts.id > b.facts.id ? 1 : 0);

/** An agent's progress in one list. */
export interface Progress {
  /** The list; one of the same name may be created anew. */
  of: MarketQueueList | null;
  /** Everything before this position was offered to the agent; null when unknown. */
  upTo: Position | null;
  /** Number of additions that the agent has seen. */
  seen: number;
  /** Jobs added before its position since. */
  fresh: QueueCandidate[];
}

/** Additions that are remembered; an agent that has missed more starts over. */
const MAX_ADDITIONS = 1_024;

export class MarketQueueList {
  readonly #order = new SortedList<QueueCandidate, Position>(byWorth);
  #additions: QueueCandidate[] = [];
  /** Number of additions before those in memory. */
  #forgotten = 0;

  get isEmpty(): boolean {
    return this.#order.length === 0;
  }

  add(offered: QueueCandidate): void {
    this.#order.add(offered);
    this.#additions.push(offered);
    if (this.#additions.length < 2 * MAX_ADDITIONS) return;
    this.#additions = this.#additions.slice(-MAX_ADDITIONS);
    this.#forgotten += MAX_ADDITIONS;
  }

  remove(offered: QueueCandidate): void {
    this.#order.remove(offered);
  }

  first(except: ReadonlySet<JobId>): QueueCandidate | null {
    return this.#from(0, (offered) => !except.has(offered.facts.id)).found;
  }

  /** The best job that this agent was never offered. */
  firstNew(agent: string, progress: Progress, except: ReadonlySet<JobId>): QueueCandidate | null {
    this.#catchUp(progress);
    const isNew = (offered: QueueCandidate): boolean => !offered.presented.has(agent);
    progress.fresh = progress.fresh.filter((offered) => offered.listed && isNew(offered));
    const start = progress.upTo === null ? 0 : this.#order.positionOf(progress.upTo);
    const { found, position } = this.#from(start, isNew);
    progress.upTo = found ?? END;
    const isFree = (offered: QueueCandidate): boolean => isNew(offered) && !except.has(offered.facts.id);
    const behind = this.#from(position, isFree).found;
    const before = progress.fresh.filter(isFree).sort(byWorth)[0];
    return before ?? behind;
  }

  #catchUp(progress: Progress): void {
    const total = this.#forgotten + this.#additions.length;
    const missed = progress.of !== this || progress.seen < this.#forgotten || progress.fresh.length > MAX_ADDITIONS;
    const { upTo } = progress;
    if (missed || upTo === null) {
      progress.upTo = null;
      progress.fresh = [];
    } else {
      const news = this.#additions.slice(progress.seen - this.#forgotten);
      progress.fresh.push(...news.filter((offered) => byWorth(offered, upTo) < 0));
    }
    progress.of = this;
    progress.seen = total;
  }

  #from(
    start: number,
    holds: (offered: QueueCandidate) => boolean,
  ): { found: QueueCandidate | null; position: number } {
    let position = start;
    for (let offered = this.#order.at(position); offered !== undefined; offered = this.#order.at(++position)) {
      if (holds(offered)) return { found: offered, position };
    }
    return { found: null, position };
  }
}

/** After everything: no price is negative. */
const END: Position = { facts: { id: "", price_cents: -1, created_at: 0 } };
