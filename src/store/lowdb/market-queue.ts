/**
 * The market queue: finds the next job to offer an agent without a scan. Jobs are listed by price and age, in one list
 * per skill, and per repository once somebody pulled from it alone. Remembers for each agent and list how far it has
 * been offered jobs.
 */
import { LRUCache } from "lru-cache";
import type { JobId } from "../../domain/job/job.ts";
import type { AgentQuery } from "../../engine/ports/agents.ts";
import { type OfferFacts, repositoryKey } from "../facts.ts";
import { byWorth, MarketQueueList, type Progress, type QueueCandidate } from "./market-queue-list.ts";
import { SortedList } from "./sorted-list.ts";

/** Remembered positions of agents in lists; others start over. */
const MAX_PROGRESS = 20_000;

/** The empty name, which nothing has, stands for all. */
const ANY = "";

const listKey = (repository: string, skill: string): string => `${repository} ${skill}`;

/** LRU of repositories with lists of their own. */
const MAX_PLACES = 1_000;

/** Most jobs were never offered and share this. */
const NOBODY: ReadonlySet<string> = new Set();
const setOf = (agents: readonly string[]): ReadonlySet<string> => (agents.length === 0 ? NOBODY : new Set(agents));

const byEnd = (a: QueueCandidate, b: QueueCandidate): number =>
  (a.facts.held_until ?? 0) - (b.facts.held_until ?? 0) || byWorth(a, b);

export class MarketQueue {
  readonly #known = new Map<JobId, QueueCandidate>();
  readonly #lists = new Map<string, MarketQueueList>();
  /** Held jobs, by the end of the hold. */
  readonly #held = new SortedList<QueueCandidate>(byEnd);
  /** Repositories with lists of their own. */
  readonly #places = new LRUCache<string, true>({ max: MAX_PLACES, dispose: (_, place) => this.#dropPlace(place) });
  /** `max` would allocate room for all of them at once. */
  readonly #progress = new LRUCache<string, Progress>({ maxSize: MAX_PROGRESS, sizeCalculation: () => 1 });

  /** `facts` null: the job has left the market. */
  put(id: JobId, facts: OfferFacts | null): void {
    const before = this.#known.get(id);
    if (before !== undefined) this.#remove(before);
    if (facts === null) return;
    const offered: QueueCandidate = { facts, presented: setOf(facts.presented_to_agents), listed: false };
    this.#known.set(id, offered);
    if (facts.held_until === null) this.#list(offered);
    else this.#held.add(offered);
  }

  next({ agent_id, skills, repository }: AgentQuery, except: ReadonlySet<JobId>, now: number): JobId | null {
    this.#release(now);
    const place = repository === null ? ANY : repositoryKey(repository);
    this.#openPlace(place);
    const fitting = skills.map((skill) => listKey(place, skill));
    const any = [listKey(place, ANY)];
    const found =
      this.#best(fitting, (list, key) => list.firstNew(agent_id, this.#progressOf(agent_id, key), except)) ??
      this.#best(any, (list, key) => list.firstNew(agent_id, this.#progressOf(agent_id, key), except)) ??
      this.#best(fitting, (list) => list.first(except)) ??
      this.#best(any, (list) => list.first(except));
    return found?.facts.id ?? null;
  }

  #best(
    keys: readonly string[],
    look: (list: MarketQueueList, key: string) => QueueCandidate | null,
  ): QueueCandidate | null {
    let best: QueueCandidate | null = null;
    for (const key of keys) {
      const list = this.#lists.get(key);
      const found = list === undefined ? null : look(list, key);
      if (found !== null && (best === null || byWorth(found, best) < 0)) best = found;
    }
    return best;
  }

  #progressOf(agent: string, key: string): Progress {
    const name = `${agent} ${key}`;
    let progress = this.#progress.get(name);
    if (progress === undefined) {
      progress = { of: null, upTo: null, seen: 0, fresh: [] };
      this.#progress.set(name, progress);
    }
    return progress;
  }

  /** Releases expired holds, before their timers have fired. */
  #release(now: number): void {
    for (let first = this.#held.at(0); first !== undefined; first = this.#held.at(0)) {
      if (first.facts.held_until === null || first.facts.held_until > now) return;
      this.#held.remove(first);
      this.#list(first);
    }
  }

  #list(offered: QueueCandidate): void {
    offered.listed = true;
    this.#addTo(ANY, offered);
    if (this.#places.has(offered.facts.repository)) this.#addTo(offered.facts.repository, offered);
  }

  #addTo(place: string, offered: QueueCandidate): void {
    this.#addToList(listKey(place, ANY), offered);
    for (const skill of offered.facts.skills) this.#addToList(listKey(place, skill), offered);
  }

  #addToList(key: string, offered: QueueCandidate): void {
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = new MarketQueueList();
      this.#lists.set(key, list);
    }
    list.add(offered);
  }

  #openPlace(place: string): void {
    if (place === ANY || this.#places.get(place) === true) return;
    this.#places.set(place, true);
    for (const offered of this.#known.values())
      if (offered.listed && offered.facts.repository === place) this.#addTo(place, offered);
  }

  #dropPlace(place: string): void {
    for (const key of this.#lists.keys()) if (key.startsWith(`${place} `)) this.#lists.delete(key);
  }

  #remove(offered: QueueCandidate): void {
    this.#known.delete(offered.facts.id);
    if (!offered.listed) {
      this.#held.remove(offered);
      return;
    }
    offered.listed = false;
    const { repository, skills } = offered.facts;
    for (const place of this.#places.has(repository) ? [ANY, repository] : [ANY]) {
      this.#removeFrom(listKey(place, ANY), offered);
      for (const skill of skills) this.#removeFrom(listKey(place, skill), offered);
    }
  }

  #removeFrom(key: string, offered: QueueCandidate): void {
    const list = this.#lists.get(key);
    list?.remove(offered);
    if (list?.isEmpty === true) this.#lists.delete(key);
  }
}
