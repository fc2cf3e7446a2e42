/**
 * The queue of the market: which job an agent is offered next, found without looking through the others. Jobs stand in
 * lists by price and age, one for each repository and skill; for each agent and list it is remembered how far
 * everything has been offered to it before.
 */
import { LRUCache } from "lru-cache";
import type { Looking } from "../../engine/market-ports.ts";
import type { JobId } from "../../job/job.ts";
import { type OfferFacts, repositoryKey } from "../facts.ts";
import { type Offered, OfferList, byWorth, type Progress } from "./offer-list.ts";
import { SortedList } from "./sorted-list.ts";

/** Agents and lists of which it is remembered how far they have come; the others begin at the front. */
const MAX_PROGRESS = 20_000;

/** The empty name, which nothing has, stands for any. */
const ANY = "";

const listKey = (repository: string, skill: string): string => `${repository} ${skill}`;

const keysOf = ({ repository, skills }: OfferFacts): string[] =>
  [ANY, repository].flatMap((place) => [ANY, ...skills].map((skill) => listKey(place, skill)));

const byEnd = (a: Offered, b: Offered): number =>
  (a.facts.held_until ?? 0) - (b.facts.held_until ?? 0) || byWorth(a, b);

export class Offers {
  readonly #known = new Map<JobId, Offered>();
  readonly #lists = new Map<string, OfferList>();
  /** Those in somebody's hand, by the end of that. */
  readonly #held = new SortedList<Offered>(byEnd);
  readonly #progress = new LRUCache<string, Progress>({ max: MAX_PROGRESS });

  /** `facts` null: the job is not on the market any more. */
  put(id: JobId, facts: OfferFacts | null): void {
    const before = this.#known.get(id);
    if (before !== undefined) this.#remove(before);
    if (facts === null) return;
    const offered: Offered = { facts, presented: new Set(facts.presented_to_agents), listed: false };
    this.#known.set(id, offered);
    if (facts.held_until === null) this.#list(offered);
    else this.#held.add(offered);
  }

  next({ agent_id, skills, repository }: Looking, except: ReadonlySet<JobId>, now: number): JobId | null {
    this.#release(now);
    const place = repository === null ? ANY : repositoryKey(repository);
    const fitting = skills.map((skill) => listKey(place, skill));
    const any = [listKey(place, ANY)];
    const found =
      this.#best(fitting, (list, key) => list.firstNew(agent_id, this.#progressOf(agent_id, key), except)) ??
      this.#best(any, (list, key) => list.firstNew(agent_id, this.#progressOf(agent_id, key), except)) ??
      this.#best(fitting, (list) => list.first(except)) ??
      this.#best(any, (list) => list.first(except));
    return found?.facts.id ?? null;
  }

  #best(keys: readonly string[], look: (list: OfferList, key: string) => Offered | null): Offered | null {
    let best: Offered | null = null;
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
      progress = { of: null, upTo: null, heard: 0, fresh: [] };
      this.#progress.set(name, progress);
    }
    return progress;
  }

  /** A hold that is over counts no more, whether or not a timer has come by. */
  #release(now: number): void {
    for (let first = this.#held.at(0); first !== undefined; first = this.#held.at(0)) {
      if (first.facts.held_until === null || first.facts.held_until > now) return;
      this.#held.remove(first);
      this.#list(first);
    }
  }

  #list(offered: Offered): void {
    offered.listed = true;
    for (const key of keysOf(offered.facts)) {
      let list = this.#lists.get(key);
      if (list === undefined) {
        list = new OfferList();
        this.#lists.set(key, list);
      }
      list.add(offered);
    }
  }

  #remove(offered: Offered): void {
    this.#known.delete(offered.facts.id);
    if (!offered.listed) {
      this.#held.remove(offered);
      return;
    }
    offered.listed = false;
    for (const key of keysOf(offered.facts)) {
      const list = this.#lists.get(key);
      list?.remove(offered);
      if (list?.isEmpty === true) this.#lists.delete(key);
    }
  }
}
