/** In-memory index of outgoing webhook messages by id and subscription: their state and position, without bodies. */
import type { DeliveryFilter, StoredDelivery } from "../../engine/ports/outgoing-deliveries.ts";
import type { Place, Segment } from "./segmented-log.ts";
import { SortedList } from "./sorted-list.ts";

/** Maximum page size. */
const MAX_PAGE = 200;

interface Moment {
  readonly at: number;
  readonly id: string;
}

/** An entry's place is that of its body. */
export interface Entry extends Moment {
  place: Place<null>;
  delivery: StoredDelivery;
}

const byAge = (a: Moment, b: Moment): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const cursorOf = ({ at, id }: Moment): string => Buffer.from(`${at}.${id}`).toString("base64url");

function momentOf(cursor: string): Moment | null {
  const [, at, id] = /^(\d+)\.(.+)$/.exec(Buffer.from(cursor, "base64url").toString("utf8")) ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}

export class OutgoingIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #bySubscription = new Map<string, SortedList<Entry, Moment>>();
  #pending = 0;

  get pending(): number {
    return this.#pending;
  }

  get finished(): number {
    return this.#entries.size - this.#pending;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Replaces position and state of an existing entry. */
  put(delivery: StoredDelivery, place: Place<null>): void {
    const before = this.#entries.get(delivery.id);
    if (before !== undefined) {
      before.place = place;
      this.update(before, delivery);
      return;
    }
    const entry = { at: delivery.at, id: delivery.id, delivery, place };
    this.#entries.set(entry.id, entry);
    const others = this.#bySubscription.get(delivery.subscription) ?? new SortedList<Entry, Moment>(byAge);
    others.add(entry);
    this.#bySubscription.set(delivery.subscription, others);
    if (delivery.state === "pending") this.#pending += 1;
  }

  update(entry: Entry, delivery: StoredDelivery): void {
    this.#pending += Number(delivery.state === "pending") - Number(entry.delivery.state === "pending");
    entry.delivery = delivery;
  }

  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  of(segment: Segment<null>): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.place.segment === segment);
  }

  remove(entries: readonly Entry[]): void {
    const touched = new Set<string>();
    for (const { id, delivery } of entries) {
      this.#entries.delete(id);
      touched.add(delivery.subscription);
      if (delivery.state === "pending") this.#pending -= 1;
    }
    for (const subscription of touched) {
      const others = this.#bySubscription.get(subscription);
      others?.keep((entry) => this.#entries.get(entry.id) === entry);
      if (others?.length === 0) this.#bySubscription.delete(subscription);
    }
  }

  /** Newest first, down to this age. An unknown cursor yields an empty page. */
  page({ subscription, limit, cursor }: DeliveryFilter, oldest: number) {
    const from = cursor === undefined ? null : momentOf(cursor);
    const entries = this.#bySubscription.get(subscription);
    const page: Entry[] = [];
    if (entries === undefined || (cursor !== undefined && from === null)) return { deliveries: [], cursor: null };
    let position = (from === null ? entries.length : entries.positionOf(from)) - 1;
    const most = Math.max(1, Math.min(limit, MAX_PAGE));
    for (let entry = entries.at(position); entry !== undefined && page.length < most; entry = entries.at(--position)) {
      if (entry.at <= oldest) break;
      page.push(entry);
    }
    const next = entries.at(position);
    const last = page.at(-1);
    const more = next !== undefined && last !== undefined && next.at > oldest;
    return { deliveries: page.map(({ delivery }) => delivery), cursor: more ? cursorOf(last) : null };
  }
}
