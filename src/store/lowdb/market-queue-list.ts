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

interface Place {
  readonly facts: { readonly id: string; readonly price_cents: number; readonly created_at: number };
}

/** Highest price first, then oldest. */
export const byWorth = (a: Place, b: Place): number =>
  b.facts.price_cents - a.facts.price_cents ||
  a.facts.created_at - b.facts.created_at ||
  (a.facts.id < b.facts.id ? -1 : a.facts.id > b.facts.id ? 1 : 0);

/** An agent's progress in one list. */
export interface Progress {
  /** The list; one of the same name may be created anew. */
  of: MarketQueueList | null;
  /** Everything before this position was offered to the agent; null when unknown. */
  upTo: Place | null;
  /** Number of additions that the agent has seen. */
  heard: number;
  /** Jobs added before its position since. */
  fresh: QueueCandidate[];
}

/** Additions that are remembered; an agent that has missed more starts over. */
const MOST_NEWS = 1_024;

export class MarketQueueList {
  readonly #order = new SortedList<QueueCandidate, Place>(byWorth);
  #news: QueueCandidate[] = [];
  /** Number of additions before those in memory. */
  #forgotten = 0;

  get isEmpty(): boolean {
    return this.#order.length === 0;
  }

  add(offered: QueueCandidate): void {
    this.#order.add(offered);
    this.#news.push(offered);
    if (this.#news.length < 2 * MOST_NEWS) return;
    this.#news = this.#news.slice(-MOST_NEWS);
    this.#forgotten += MOST_NEWS;
  }

  remove(offered: QueueCandidate): void {
    this.#order.remove(offered);
  }

  first(except: ReadonlySet<JobId>): QueueCandidate | null {
    return this.#from(0, (offered) => !except.has(offered.facts.id)).found;
  }

  /** The best job that this agent was never offered. */
  firstNew(agent: string, progress: Progress, except: ReadonlySet<JobId>): QueueCandidate | null {
    this.#hear(progress);
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

  #hear(progress: Progress): void {
    const total = this.#forgotten + this.#news.length;
    const missed = progress.of !== this || progress.heard < this.#forgotten || progress.fresh.length > MOST_NEWS;
    const { upTo } = progress;
    if (missed || upTo === null) {
      progress.upTo = null;
      progress.fresh = [];
    } else {
      const news = this.#news.slice(progress.heard - this.#forgotten);
      progress.fresh.push(...news.filter((offered) => byWorth(offered, upTo) < 0));
    }
    progress.of = this;
    progress.heard = total;
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
const END: Place = { facts: { id: "", price_cents: -1, created_at: 0 } };
