/**
 * Stores outgoing webhook messages in journals, at the cost of a line and a shared flush each. Bodies stay on the disk.
 * The oldest journals are deleted when their messages are too old or too many; pending ones move to the newest journal
 * first.
 */
import { LRUCache } from "lru-cache";
import type {
  DeliveryAttempt,
  DeliveryFilter,
  DeliveryState,
  NewDelivery,
  OutgoingStore,
  StoredDelivery,
} from "../../engine/ports/outgoing-deliveries.ts";
import type { Folder } from "./disk.ts";
import { type Entry, OutgoingIndex } from "./outgoing-index.ts";
import { again, bodyFrom, deliveriesLine, fresh, lineOf, readLine, tried } from "./outgoing-lines.ts";
import { append, note, type Place, type Segment, SegmentedLog } from "./segmented-log.ts";

/** How long a message can be looked up and replayed. */
const DAY_MS = 24 * 3_600_000;
/** Finished messages: about 25 MB of memory. */
const MAX_FINISHED = 50_000;
/** Disk space, unless most of it is pending. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Further messages are refused, and the job's event waits with the job. About 50 MB of memory. */
export const MAX_PENDING_DELIVERIES = 100_000;
/** Cached characters of bodies that are about to be sent; others are read again. */
const MAX_CACHED_CHARACTERS = 16 * 1024 * 1024;

const keyOf = ({ segment, start }: Place<null>): string => `${segment.number}:${start}`;

/** One event goes to many subscribers, so its body is stored once. */
function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const same = groups.get(keyOf(item));
    if (same === undefined) groups.set(keyOf(item), [item]);
    else same.push(item);
  }
  return groups;
}

export class JournalOutgoing implements OutgoingStore {
  readonly #now: () => number;
  readonly #kept_ms: number;
  readonly #index = new OutgoingIndex();
  readonly #bodies = new LRUCache<string, string>({ maxSize: MAX_CACHED_CHARACTERS });
  /** Writes in progress. */
  readonly #recording = new Map<string, Promise<void>>();
  readonly #log: SegmentedLog<null>;
  /** Results of attempts that are not written yet; many share a write. */
  #outcomes: string[] = [];

  constructor(folder: Folder, now: () => number, kept_days: number) {
    this.#now = now;
    this.#kept_ms = kept_days * DAY_MS;
    this.#log = new SegmentedLog(
      folder,
      { index: () => null, read: (line, place) => this.#read(line, place) },
      {
        isOver: (oldest) => this.#isOver(oldest),
        settled: async () => undefined,
        carryOver: (oldest, to) => this.#carryOver(oldest, to),
      },
    );
    this.#log.retire();
  }

  async record(deliveries: readonly NewDelivery[]): Promise<readonly StoredDelivery[]> {
    const unknown = deliveries.filter(({ id }) => this.#index.get(id) === undefined);
    // A duplicate is acknowledged only after the first is on the disk.
    const underWay = deliveries.map(({ id }) => this.#recording.get(id));
    if (unknown.length > 0) await this.#recordNew(unknown);
    await Promise.all(underWay);
    return unknown.flatMap(({ id }) => this.#index.get(id)?.delivery ?? []);
  }

  async attempted(
    id: string,
    attempt: DeliveryAttempt,
    next: { readonly state: DeliveryState; readonly at: number | null },
  ): Promise<boolean> {
    const entry = this.#index.get(id);
    if (entry === undefined) return false;
    this.#index.update(entry, tried(entry.delivery, attempt, next.state, next.at));
    const line = lineOf({ tried: id, attempt, state: next.state, next_at: next.at });
    if (this.#outcomes.push(line) === 1) setImmediate(() => this.#writeLater());
    return true;
  }

  async replay(id: string, at: number): Promise<StoredDelivery | null> {
    const entry = this.#visible(id);
    if (entry === null) return null;
    this.#writeOutcomes();
    await this.#log.add(lineOf({ again: id, at })).segment.journal.flushed();
    this.#index.update(entry, again(entry.delivery, at));
    return entry.delivery;
  }

  async get(id: string): Promise<StoredDelivery | null> {
    return this.#visible(id)?.delivery ?? null;
  }

  async body(id: string): Promise<string | null> {
    const entry = this.#index.get(id);
    if (entry === undefined) return null;
    return this.#bodyOf(entry);
  }

  async list(filter: DeliveryFilter) {
    return this.#index.page(filter, this.#now() - this.#kept_ms);
  }

  async pending(): Promise<readonly StoredDelivery[]> {
    return [...this.#index.all()].map(({ delivery }) => delivery).filter(({ state }) => state === "pending");
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#recording.values());
    await this.#log.retired();
    this.#writeLater();
    await this.#log.close();
  }

  async #recordNew(unknown: readonly NewDelivery[]): Promise<void> {
    if (this.#index.pending + unknown.length > MAX_PENDING_DELIVERIES)
      throw new Error("Too many deliveries wait to be sent.");
    this.#log.roll();
    const { last } = this.#log;
    for (const [body, same] of grouped(unknown, (one) => one.body)) this.#add(last, same.map(fresh), body);
    const durable = last.journal.flushed();
    for (const { id } of unknown) this.#recording.set(id, durable);
    try {
      await durable;
    } catch (error) {
      this.#index.remove(unknown.flatMap(({ id }) => this.#index.get(id) ?? []));
      throw error;
    } finally {
      for (const { id } of unknown) this.#recording.delete(id);
    }
  }

  #visible(id: string): Entry | null {
    const entry = this.#index.get(id);
    const old = entry !== undefined && entry.delivery.state !== "pending" && entry.at <= this.#now() - this.#kept_ms;
    return entry === undefined || old || this.#recording.has(id) ? null : entry;
  }

  #bodyOf({ place }: Entry): string {
    return this.#bodies.get(keyOf(place)) ?? bodyFrom(place.segment.journal.read(place.start, place.length));
  }

  /** Writes one body with its messages and indexes them. */
  #add(segment: Segment<null>, deliveries: readonly StoredDelivery[], body: string): void {
    const place = this.#write(segment, deliveries, body);
    this.#bodies.set(keyOf(place), body, { size: body.length + 1 });
    for (const delivery of deliveries) this.#index.put(delivery, place);
  }

  /** Returns the body's new place. */
  #write(segment: Segment<null>, deliveries: readonly StoredDelivery[], body: string): Place<null> {
    const [about, told] = deliveriesLine(deliveries, body);
    const line = append(segment, about + told);
    for (const { at } of deliveries) note(segment, at);
    const body_at = Buffer.byteLength(about);
    return { segment, start: line.start + body_at, length: line.length - body_at };
  }

  #writeLater(): void {
    try {
      this.#writeOutcomes();
    } catch {
      // They count in memory; after a restart an unrecorded one is sent again.
      this.#outcomes = [];
    }
  }

  #writeOutcomes(): void {
    if (this.#outcomes.length === 0) return;
    this.#log.roll();
    this.#writeOutcomesTo(this.#log.last);
  }

  #writeOutcomesTo(segment: Segment<null>): void {
    if (this.#outcomes.length > 0) append(segment, this.#outcomes.join("\n"));
    this.#outcomes = [];
  }

  #read(bytes: Buffer, { segment, start, length }: Place<null>): void {
    const { line, body_at } = readLine(bytes);
    if ("deliveries" in line) {
      const place = { segment, start: start + body_at, length: length - body_at };
      for (const delivery of line.deliveries) {
        this.#index.put(delivery, place);
        note(segment, delivery.at);
      }
      return;
    }
    const entry = this.#index.get("tried" in line ? line.tried : line.again);
    // Its segment may have been deleted first.
    if (entry === undefined) return;
    const { delivery } = entry;
    const next = "tried" in line ? tried(delivery, line.attempt, line.state, line.next_at) : again(delivery, line.at);
    this.#index.update(entry, next);
  }

  /** Moves pending messages; their place changes once the new line is on the disk. */
  #carryOver(from: Segment<null>, to: Segment<null>): () => boolean {
    // Behind a line that already says so, each of them would count twice after a restart.
    this.#writeOutcomesTo(to);
    const isPending = ({ delivery }: Entry): boolean => delivery.state === "pending";
    const moves = [...grouped(this.#index.of(from).filter(isPending), ({ place }) => place).values()].map((same) => {
      const [first] = same;
      const deliveries = same.map(({ delivery }) => delivery);
      return { same, place: this.#write(to, deliveries, first === undefined ? "" : this.#bodyOf(first)) };
    });
    return () => {
      for (const { same, place } of moves) for (const entry of same) entry.place = place;
      const rest = this.#index.of(from);
      // A message may have been replayed meanwhile.
      if (rest.some(isPending)) return false;
      this.#index.remove(rest);
      return true;
    };
  }

  #isOver(oldest: Segment<null>): boolean {
    if (oldest.newest_at <= this.#now() - this.#kept_ms || this.#index.finished > MAX_FINISHED) return true;
    return this.#log.size > MAX_BYTES && this.#index.finished > this.#index.pending;
  }
}
